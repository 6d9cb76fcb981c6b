"""One party's computation, in a process and a Python environment of its own: SecretFlow SPU, ABY3.

The party's daemon starts it, writes messages to its stdin and reads answers from its stdout
(`framing.py`); it talks to the two other parties' workers over SPU's links. It keeps shares in
memory alone, and ends when its stdin ends. `uniqueness.private.engine` says what each request
opens; all else stays shared.

A dot product is three addends, one of which each party computes by itself (`spu_gallery.py`). SPU
adds them up and compares, by ABY3 (Mohassel and Rindal, CCS 2018): semi-honest, with an honest
majority. A comparison takes the most significant bit of a difference, in log2(32) rounds.

Imports the standard library, NumPy, JAX and SPU, and nothing of this project but the files
beside it that do likewise.
"""

import os
import queue
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from spu import libspu

sys.path.append(str(Path(__file__).parent))
import framing
import spu_programs as programs
from spu_gallery import (
    MAX_DIMENSION,
    SHIFT,
    Factors,
    Gallery,
    addends,
    left_factors,
    power_of_two,
    right_factors,
)
from spu_machine import Input, Machine, Numbers, bits, secret

Shares = npt.NDArray[np.uint64]  # (n, 2, d): a template's own component and the next one
Places = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]


class Worker:
    """Answers the daemon's requests; each method is named as the request is."""

    def __init__(self, machine: Machine, width: int, working: Callable[[], None]) -> None:
        self._machine, self._width, self._working = machine, width, working
        self._gallery: Gallery | None = None
        self._probes: Factors = np.zeros((0, 0), np.uint32)
        self._others: Factors = self._probes

    def add(self, shares: Shares) -> None:
        self._of_dimension(shares.shape[2]).add(shares)

    def erase(self, places: Places) -> None:
        self._held().erase(places)

    def probe(self, shares: Shares) -> None:
        self._of_dimension(shares.shape[2])
        self._probes, self._others = left_factors(shares), right_factors(shares)

    def reached(self, least: int) -> Bits:
        left, threshold = _padded(self._probes), self._shifted("least", least)
        hits: dict[str, Input] = {}
        for right, _ in self._held().blocks():
            # Blocks of one width share their bits: the tree over a row is run once for them.
            into = "hits" if len(right) == self._width else "last_hits"
            inputs = [*self._multiply(left, right), threshold]
            if into in hits:
                self._machine.run(programs.more_hits, [*inputs, hits[into]], into)
            else:
                self._machine.run(programs.hits, inputs, into)
            hits[into] = bits(into, len(left), len(right))
            self._working()
        if not hits:
            return np.zeros(len(self._probes), np.bool_)
        self._machine.run(programs.tell_any, list(hits.values()), "told")
        return self._told()[: len(self._probes)]

    def among(self, least: int) -> Bits:
        count = len(self._probes)
        inputs = self._multiply(_padded(self._probes), _padded(self._others))
        self._machine.run(programs.tell_each, [*inputs, self._shifted("least", least)], "told")
        return self._told()[:count, :count]

    def reaching(self, least: int, rows: list[int]) -> Bits:
        left, threshold = _padded(self._probes[rows]), self._shifted("least", least)
        told = [np.zeros((len(rows), 0), np.bool_)]
        for right, used in self._held().blocks():
            inputs = [*self._multiply(left, right), threshold]
            self._machine.run(programs.tell_each, inputs, "told")
            told.append(self._told()[: len(rows), :used])
            self._working()
        return np.concatenate(told, axis=1)

    def nearest(self, places: Places, row: int) -> int:
        padded = np.full(power_of_two(places.size), places[0])
        padded[: places.size] = places
        addend = addends(self._probes[[row]], self._held().at(padded))[0]
        inputs = [*self._machine.add_up("product", addend), self._shifted("step", 1)]
        self._machine.run(programs.tell_first_highest, inputs, "told")
        return int(np.flatnonzero(self._told())[0])

    def histogram(self, places: Places, edges: list[int], minimum: int) -> Numbers:
        if not self._held().count:
            return np.zeros(len(edges) - 1, np.int32)
        left, start = _padded(self._probes), 0
        counts = [
            self._machine.publish(f"count{edge}", np.zeros(1, np.int32))
            for edge in range(len(edges))
        ]
        for right, used in self._held().blocks():
            mask = np.zeros((len(left), len(right)), np.int32)
            here = places[(places >= start) & (places < start + used)] - start
            mask[: len(self._probes), here] = 1
            start += used
            counted = self._machine.publish("counted", mask)
            self._machine.run(programs.products, self._multiply(left, right), "products")
            products = secret("products", *mask.shape)
            for edge, value in enumerate(edges):
                inputs = [products, self._shifted("least", value), counted, counts[edge]]
                self._machine.run(programs.count, inputs, f"count{edge}")
                counts[edge] = secret(f"count{edge}", 1)
                self._working()
        self._machine.run(programs.join, counts, "reaching")
        threshold = self._machine.publish("minimum", np.array([minimum], np.int32))
        inputs = [secret("reaching", len(counts)), threshold]
        self._machine.run(programs.tell_counts, inputs, "told")
        told: Numbers = self._machine.opened("told")
        return told

    def _multiply(self, left: Factors, right: Factors) -> list[Input]:
        inputs: list[Input] = self._machine.add_up("product", addends(left, right))
        return inputs

    def _shifted(self, name: str, number: int) -> Input:
        """Publish a number on the products' scale."""
        return self._machine.publish(name, np.array([number << SHIFT], np.int32))

    def _held(self) -> Gallery:
        if self._gallery is None:
            raise ValueError("neither a gallery nor probes")
        return self._gallery

    def _of_dimension(self, dimension: int) -> Gallery:
        if self._gallery is None:
            self._gallery = Gallery(dimension, self._width)
        if self._gallery.dimension != dimension or dimension > MAX_DIMENSION:
            raise ValueError("templates of two dimensions, or of too many")
        return self._gallery

    def _told(self) -> Bits:
        told: Bits = self._machine.opened("told") != 0
        return told


def _padded(rows: Factors) -> Factors:
    """With rows of zeros up to a power of two, so that few programs are compiled."""
    padded = np.zeros((power_of_two(len(rows)), rows.shape[1]), np.uint32)
    padded[: len(rows)] = rows
    return padded


def connect(values: dict[str, Any]) -> Any:
    """Open the links to the two other workers; waits until both are there."""
    described = libspu.link.Desc()
    described.id = values["session"]
    for rank, address in enumerate(values["addresses"]):
        described.add_party(f"party{rank}", address)
    described.recv_timeout_ms = described.http_timeout_ms = values["timeout_ms"]
    described.connect_retry_times = max(values["timeout_ms"] // 250, 1)
    described.connect_retry_interval_ms = 250
    return libspu.link.create_brpc(described, values["rank"])


def requests(pipe: Any) -> "queue.Queue[framing.Message]":
    """Read requests in a thread of its own, so that the process ends as soon as its daemon does."""
    waiting: queue.Queue[framing.Message] = queue.Queue()

    def read() -> None:
        while True:
            try:
                waiting.put(framing.read(pipe))
            except framing.Truncated:
                os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return waiting


def main() -> None:
    """Serve until stdin ends or a request fails; a failed session cannot be gone on with."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # shares are in this memory
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not come between the answers
    waiting = requests(os.fdopen(0, "rb", buffering=0))
    try:
        begin = waiting.get().values
        machine = Machine(begin["rank"], connect(begin), begin["threads"])
        worker = Worker(
            machine,
            begin["width"],
            lambda: framing.write(answers, framing.Message("working")),
        )
        framing.write(answers, framing.Message("done"))
        while True:
            request = waiting.get()
            result = getattr(worker, request.name)(*request.arrays, **request.values)
            framing.write(answers, answer(result))
    except Exception as error:  # its message may hold values; its kind does not
        framing.write(answers, framing.Message("failed", {"kind": type(error).__name__}))
        os._exit(1)


def answer(result: Any) -> framing.Message:
    """A method's result as a message."""
    if isinstance(result, np.ndarray):
        result = result if result.dtype == np.bool_ else result.astype(np.int64)
        return framing.Message("done", arrays=(result,))
    return framing.Message("done", {} if result is None else {"result": result})


if __name__ == "__main__":
    main()
