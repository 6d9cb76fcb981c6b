"""One party's computation, in a process and a Python environment of its own: SecretFlow SPU, ABY3.

The party's daemon starts it, writes messages to its stdin and reads answers from its stdout
(`framing.py`); it talks to the two other parties' workers over SPU's links. It keeps shares in
memory alone, and ends when its stdin ends. `uniqueness.private.engine` says what each request
opens; all else stays shared.

ABY3 (Mohassel and Rindal, CCS 2018), semi-honest, with an honest majority, over the ring of 64-bit
numbers. A dot product costs one ring element on the wire, whatever its dimension; comparing it with
a public number takes the most significant bit of a difference, by a circuit of log2(64) rounds.

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

import jax
import numpy as np
import numpy.typing as npt
from spu import libspu

sys.path.append(str(Path(__file__).parent))
import framing
import spu_programs as programs
from spu_gallery import Gallery, power_of_two
from spu_machine import PUBLIC, SECRET, Input, Machine, Shares, bits, public, secret


class Worker:
    """Answers the daemon's requests; each method is named as the request is."""

    def __init__(self, machine: Machine, width: int, working: Callable[[], None]) -> None:
        self._machine, self._width, self._working = machine, width, working
        self._gallery: Gallery | None = None
        self._probes: Shares = np.zeros((0, 0, 2), np.uint64)

    def add(self, shares: Shares) -> None:
        self._of_dimension(shares.shape[2]).add(shares)

    def erase(self, places: npt.NDArray[np.int64]) -> None:
        self._held().erase(places)

    def probe(self, shares: Shares) -> None:
        self._of_dimension(shares.shape[2])
        self._probes = shares.transpose(0, 2, 1)

    def reached(self, least: int) -> npt.NDArray[np.bool_]:
        left = self._keep_rows("probes", self._probes)
        self._least(least)
        hits: dict[str, Input] = {}
        for name, capacity, _ in self._held().blocks():
            # Blocks of one width share their bits' variable: the tree over a row runs once.
            into = "last_hits" if name == "last" else "hits"
            right = secret(name, self._gallery_dimension, capacity)
            inputs = [left, right, public("least", 1)]
            if into in hits:
                self._machine.run(programs.more_hits, [*inputs, hits[into]], into)
            else:
                self._machine.run(programs.hits, inputs, into)
            hits[into] = bits(into, left[1][0], capacity)
            self._working()
        if not hits:
            return np.zeros(len(self._probes), np.bool_)
        self._machine.run(programs.tell_any, list(hits.values()), "told")
        return self._told()[: len(self._probes)]

    def among(self, least: int) -> npt.NDArray[np.bool_]:
        left = self._keep_rows("probes", self._probes)
        count, rows = len(self._probes), left[1][0]
        columns = np.zeros((self._gallery_dimension, rows, 2), np.uint64)
        columns[:, :count] = self._probes.transpose(1, 0, 2)
        self._machine.keep("others", columns)
        self._least(least)
        right = secret("others", self._gallery_dimension, rows)
        self._machine.run(programs.tell_each, [left, right, public("least", 1)], "told")
        return self._told()[:count, :count]

    def reaching(self, least: int, rows: list[int]) -> npt.NDArray[np.bool_]:
        left = self._keep_rows("asked", self._probes[rows])
        self._least(least)
        told = [np.zeros((len(rows), 0), np.bool_)]
        for name, capacity, used in self._held().blocks():
            right = secret(name, self._gallery_dimension, capacity)
            self._machine.run(programs.tell_each, [left, right, public("least", 1)], "told")
            told.append(self._told()[: len(rows), :used])
            self._working()
        return np.concatenate(told, axis=1)

    def nearest(self, places: npt.NDArray[np.int64], row: int) -> int:
        padded = np.full(power_of_two(places.size), places[0])
        padded[: places.size] = places
        left = self._keep_rows("asked", self._probes[[row]])
        self._machine.keep("few", self._held().columns(padded))
        right = secret("few", self._gallery_dimension, padded.size)
        self._machine.run(programs.tell_first_highest, [left, right], "told")
        return int(np.flatnonzero(self._told())[0])

    def histogram(
        self, places: npt.NDArray[np.int64], edges: list[int], minimum: int
    ) -> npt.NDArray[np.int64]:
        left = self._keep_rows("probes", self._probes)
        counts = [f"count{edge}" for edge in range(len(edges))]
        for count in counts:
            self._machine.publish(count, np.zeros(1, np.int64))
        visible = PUBLIC
        start = 0
        for name, capacity, used in self._held().blocks():
            counted = np.zeros((left[1][0], capacity), np.int64)
            here = places[(places >= start) & (places < start + used)] - start
            counted[: len(self._probes), here] = 1
            start += used
            self._machine.publish("counted", counted)
            right = secret(name, self._gallery_dimension, capacity)
            self._machine.run(programs.products, [left, right], "products")
            for edge, count in zip(edges, counts, strict=True):
                self._least(edge)
                inputs = [
                    secret("products", *counted.shape),
                    public("least", 1),
                    public("counted", *counted.shape),
                    (count, (1,), np.int64, visible),
                ]
                self._machine.run(programs.count, inputs, count)
                self._working()
            visible = SECRET
        if visible is PUBLIC:
            return np.zeros(len(edges) - 1, np.int64)
        self._machine.run(programs.join, [secret(count, 1) for count in counts], "reaching")
        self._machine.publish("minimum", np.array([minimum], np.int64))
        inputs = [secret("reaching", len(counts)), public("minimum", 1)]
        self._machine.run(programs.tell_counts, inputs, "told")
        told: npt.NDArray[np.int64] = self._machine.opened("told").astype(np.int64)
        return told

    @property
    def _gallery_dimension(self) -> int:
        dimension: int = self._held().dimension
        return dimension

    def _held(self) -> Gallery:
        if self._gallery is None:
            raise ValueError("neither a gallery nor probes")
        return self._gallery

    def _of_dimension(self, dimension: int) -> Gallery:
        if self._gallery is None:
            self._gallery = Gallery(self._machine, dimension, self._width)
        if self._gallery.dimension != dimension:
            raise ValueError("templates of two dimensions")
        return self._gallery

    def _keep_rows(self, name: str, rows: Shares) -> Input:
        """Keep rows as a variable, with rows of zeros up to a power of two: few programs do."""
        count = power_of_two(len(rows))
        padded = np.zeros((count, *rows.shape[1:]), np.uint64)
        padded[: len(rows)] = rows
        self._machine.keep(name, padded)
        return secret(name, count, rows.shape[1])

    def _least(self, least: int) -> None:
        self._machine.publish("least", np.array([least], np.int64))

    def _told(self) -> npt.NDArray[np.bool_]:
        told: npt.NDArray[np.bool_] = self._machine.opened("told").astype(np.bool_)
        return told


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
    jax.config.update("jax_enable_x64", True)
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
        return framing.Message("done", arrays=(result,))
    return framing.Message("done", {} if result is None else {"result": result})


if __name__ == "__main__":
    main()
