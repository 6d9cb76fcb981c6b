"""One party's computation, in a process and a Python environment of its own: SecretFlow SPU, ABY3.

The party's daemon starts it, writes messages to its stdin and reads answers from its stdout
(`framing.py`); it talks to the two other parties' workers over SPU's links. It keeps shares in
memory alone, and ends when its stdin ends. `uniqueness.private.engine` says what each request
opens; all else stays shared.

ABY3 (Mohassel and Rindal, CCS 2018), semi-honest, with an honest majority, over the ring of 64-bit
numbers. A dot product costs one ring element on the wire, whatever its dimension; comparing it with
a public number takes the most significant bit of a difference, by a circuit of log2(64) rounds.

Imports the standard library, NumPy, JAX and SPU, and nothing of this project but `framing.py`.
"""

import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import spu
from spu import libspu
from spu.experimental import reveal
from spu.utils import frontend

sys.path.append(str(Path(__file__).parent))
import framing

FIELD, NUMBER = libspu.FieldType.FM64, libspu.DataType.DT_I64
SHARE_TYPE = "aby3.AShr<FM64>"
SECRET, PUBLIC = libspu.Visibility.VIS_SECRET, libspu.Visibility.VIS_PUBLIC
LEAST_CAPACITY = 256

Shares = npt.NDArray[np.uint64]  # (..., 2): of each number the two components that are held here
Input = tuple[str, tuple[int, ...], Any, Any]  # a variable's name, shape, type and visibility


def secret(name: str, *shape: int) -> Input:
    """Secret whole numbers as a program's input."""
    return name, shape, np.int64, SECRET


def bits(name: str, *shape: int) -> Input:
    """Secret bits as a program's input."""
    return name, shape, np.bool_, SECRET


def public(name: str, *shape: int) -> Input:
    """Public whole numbers as a program's input."""
    return name, shape, np.int64, PUBLIC


class Machine:
    """The virtual machine that the three workers run in step: variables, and programs on them."""

    def __init__(self, rank: int, link: Any, threads: int) -> None:
        config = libspu.RuntimeConfig(protocol=libspu.ProtocolKind.ABY3, field=FIELD)
        config.experimental_disable_mmul_split = True
        config.max_concurrency = threads
        self._rank = rank
        self._runtime = spu.Runtime(link, config)
        self._io = spu.Io(3, config)
        self._compiled: dict[tuple[Any, ...], bytes] = {}

    def keep(self, name: str, shares: Shares) -> None:
        """Make a secret variable of the two components of each of its numbers."""
        meta, chunk, share = libspu.ValueMeta(), libspu.ValueChunk(), libspu.Share()
        meta.data_type, meta.visibility, meta.storage_type = NUMBER, SECRET, SHARE_TYPE
        meta.shape.dims = list(shares.shape[:-1])
        content = np.ascontiguousarray(shares).tobytes()
        chunk.total_bytes, chunk.chunk_offset, chunk.content = len(content), 0, content
        share.meta, share.share_chunks = meta.SerializeToString(), [chunk.SerializeToString()]
        self._runtime.set_var(name, share)

    def kept(self, name: str, *shape: int) -> Shares:
        """The components that `keep` was given, as a copy of (*shape, 2)."""
        content = bytearray()
        for data in self._runtime.get_var(name).share_chunks:
            chunk = libspu.ValueChunk()
            chunk.ParseFromString(data)
            content += chunk.content
        return np.frombuffer(content, np.uint64).reshape(*shape, 2)

    def publish(self, name: str, numbers: npt.NDArray[np.int64]) -> None:
        """Make a public variable; SPU takes none without a dimension."""
        self._runtime.set_var(name, self._io.make_shares(numbers, PUBLIC)[self._rank])

    def opened(self, name: str) -> npt.NDArray[Any]:
        """A variable that a program has made public."""
        return np.asarray(self._io.reconstruct([self._runtime.get_var(name)] * 3))

    def run(self, program: Callable[..., Any], inputs: list[Input], output: str) -> None:
        """Run a program over variables; compiled once for each of its inputs' shapes."""
        known = (program, *((shape, dtype) for _, shape, dtype, _ in inputs))
        names = [name for name, *_ in inputs]
        if known not in self._compiled:
            compiled, _ = frontend.compile(
                frontend.Kind.JAX,
                program,
                [np.zeros(shape, dtype) for _, shape, dtype, _ in inputs],
                {},
                names,
                [visibility for *_, visibility in inputs],
                lambda _: [output],
            )
            self._compiled[known] = compiled.code
        self._runtime.run(
            libspu.Executable(
                name=program.__name__,
                input_names=names,
                output_names=[output],
                code=self._compiled[known],
            )
        )


# The programs. Whatever one of them makes public it passes through `reveal`; there is no other way.


def _products(left: Any, right: Any) -> Any:
    return jnp.matmul(left, right)


def _hits(left: Any, right: Any, least: Any) -> Any:
    return jnp.matmul(left, right) >= least


def _more_hits(left: Any, right: Any, least: Any, before: Any) -> Any:
    return before | (jnp.matmul(left, right) >= least)


def _tell_any(*hits: Any) -> Any:
    told = jnp.any(hits[0], axis=1)
    for more in hits[1:]:
        told = told | jnp.any(more, axis=1)
    return reveal(told)


def _tell_each(left: Any, right: Any, least: Any) -> Any:
    return reveal(jnp.matmul(left, right) >= least)


def _tell_first_highest(left: Any, right: Any) -> Any:
    count = right.shape[1]
    # Of equal products the first wins: it is put ahead by less than a product's step.
    ranked = jnp.matmul(left, right)[0] * count + jnp.arange(count - 1, -1, -1)
    return reveal(jnp.all(ranked[:, None] >= ranked[None, :], axis=1))


def _count(products: Any, least: Any, counted: Any, before: Any) -> Any:
    reached = (products >= least).astype(jnp.int64)
    return before + jnp.sum(reached * counted).reshape(1)


def _tell_counts(reaching: Any, minimum: Any) -> Any:
    buckets = reaching[:-1] - reaching[1:]
    return reveal(jnp.where(buckets >= minimum, buckets, 0))


def _join(*numbers: Any) -> Any:
    return jnp.concatenate(numbers)


class Gallery:
    """Templates as columns, in blocks of one width; the last one grows by doubling.

    A place without a template, or whose template was erased, holds shares of zero: its dot product
    with anything is 0, which reaches no threshold above 0.
    """

    def __init__(self, machine: Machine, dimension: int, width: int) -> None:
        self.count = 0
        self.dimension = dimension
        self._machine, self._width = machine, width
        self._full = 0
        self._last = self._empty(LEAST_CAPACITY)
        self._changed = False

    def add(self, shares: Shares) -> None:
        """Append (n, 2, d) shares."""
        columns = shares.transpose(2, 0, 1)
        while columns.shape[1]:
            used = self.count - self._full * self._width
            taken = columns[:, : self._width - used]
            self._grow(used + taken.shape[1])
            self._last[:, used : used + taken.shape[1]] = taken
            self._changed = True
            self.count += taken.shape[1]
            columns = columns[:, taken.shape[1] :]
            if self.count == (self._full + 1) * self._width:
                self._machine.keep(f"block{self._full}", self._last)
                self._full += 1
                self._last = self._empty(LEAST_CAPACITY)

    def erase(self, places: npt.NDArray[np.int64]) -> None:
        """Put shares of zero in these places."""
        for block in np.unique(places // self._width):
            here = places[places // self._width == block] % self._width
            if block == self._full:
                self._last[:, here] = 0
                self._changed = True
            else:
                columns = self._machine.kept(f"block{block}", self.dimension, self._width)
                columns[:, here] = 0
                self._machine.keep(f"block{block}", columns)

    def columns(self, places: npt.NDArray[np.int64]) -> Shares:
        """The shares in these places, (d, n, 2)."""
        found = self._empty(places.size)
        for block in np.unique(places // self._width):
            here = np.flatnonzero(places // self._width == block)
            whole = (
                self._last
                if block == self._full
                else self._machine.kept(f"block{block}", self.dimension, self._width)
            )
            found[:, here] = whole[:, places[here] % self._width]
        return found

    def blocks(self) -> Iterator[tuple[str, int, int]]:
        """Every block's variable, its capacity and the templates in it, the last one's last."""
        for block in range(self._full):
            yield f"block{block}", self._width, self._width
        used = self.count - self._full * self._width
        if used:
            if self._changed:
                self._machine.keep("last", self._last)
                self._changed = False
            yield "last", self._last.shape[1], used

    def _grow(self, needed: int) -> None:
        capacity = self._last.shape[1]
        if needed > capacity:
            grown = self._empty(min(power_of_two(needed), self._width))
            grown[:, :capacity] = self._last
            self._last = grown

    def _empty(self, capacity: int) -> Shares:
        return np.zeros((self.dimension, min(capacity, self._width), 2), np.uint64)


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
                self._machine.run(_more_hits, [*inputs, hits[into]], into)
            else:
                self._machine.run(_hits, inputs, into)
            hits[into] = bits(into, left[1][0], capacity)
            self._working()
        if not hits:
            return np.zeros(len(self._probes), np.bool_)
        self._machine.run(_tell_any, list(hits.values()), "told")
        return self._told()[: len(self._probes)]

    def among(self, least: int) -> npt.NDArray[np.bool_]:
        left = self._keep_rows("probes", self._probes)
        count, rows = len(self._probes), left[1][0]
        columns = np.zeros((self._gallery_dimension, rows, 2), np.uint64)
        columns[:, :count] = self._probes.transpose(1, 0, 2)
        self._machine.keep("others", columns)
        self._least(least)
        right = secret("others", self._gallery_dimension, rows)
        self._machine.run(_tell_each, [left, right, public("least", 1)], "told")
        return self._told()[:count, :count]

    def reaching(self, least: int, rows: list[int]) -> npt.NDArray[np.bool_]:
        left = self._keep_rows("asked", self._probes[rows])
        self._least(least)
        told = [np.zeros((len(rows), 0), np.bool_)]
        for name, capacity, used in self._held().blocks():
            right = secret(name, self._gallery_dimension, capacity)
            self._machine.run(_tell_each, [left, right, public("least", 1)], "told")
            told.append(self._told()[: len(rows), :used])
            self._working()
        return np.concatenate(told, axis=1)

    def nearest(self, places: npt.NDArray[np.int64], row: int) -> int:
        padded = np.full(power_of_two(places.size), places[0])
        padded[: places.size] = places
        left = self._keep_rows("asked", self._probes[[row]])
        self._machine.keep("few", self._held().columns(padded))
        right = secret("few", self._gallery_dimension, padded.size)
        self._machine.run(_tell_first_highest, [left, right], "told")
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
            self._machine.run(_products, [left, right], "products")
            for edge, count in zip(edges, counts, strict=True):
                self._least(edge)
                inputs = [
                    secret("products", *counted.shape),
                    public("least", 1),
                    public("counted", *counted.shape),
                    (count, (1,), np.int64, visible),
                ]
                self._machine.run(_count, inputs, count)
                self._working()
            visible = SECRET
        if visible is PUBLIC:
            return np.zeros(len(edges) - 1, np.int64)
        self._machine.run(_join, [secret(count, 1) for count in counts], "reaching")
        self._machine.publish("minimum", np.array([minimum], np.int64))
        inputs = [secret("reaching", len(counts)), public("minimum", 1)]
        self._machine.run(_tell_counts, inputs, "told")
        return self._machine.opened("told").astype(np.int64)

    @property
    def _gallery_dimension(self) -> int:
        return self._held().dimension

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
        return self._machine.opened("told").astype(np.bool_)


def power_of_two(count: int) -> int:
    """The least power of two that is not below `count`."""
    return 1 << max(count - 1, 0).bit_length()


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
