"""SPU as the worker uses it: secret variables and compiled programs, in step at three parties.

Imports nothing of this project: it runs in the engine's own environment.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import spu
from spu import libspu
from spu.utils import frontend

FIELD, NUMBER = libspu.FieldType.FM64, libspu.DataType.DT_I64
SHARE_TYPE = "aby3.AShr<FM64>"
SECRET, PUBLIC = libspu.Visibility.VIS_SECRET, libspu.Visibility.VIS_PUBLIC
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
