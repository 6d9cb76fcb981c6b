"""BN254's hot loops, in C compiled to WebAssembly (`kernel.wasm`, built by `kernel.build`).

All integers travel as 32 little-endian bytes. The running time depends on the inputs, secret ones
too: keep others from timing a proof closely.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from identity_proofs.compiled_cache import CompiledCache
from identity_proofs.kernel.poseidon_recurrence import kernel_parameters
from identity_proofs.webassembly import Instance, Program, Store, compile_program

ELEMENT_BYTES = 32
G1_BYTES = 2 * ELEMENT_BYTES
G2_BYTES = 4 * ELEMENT_BYTES
STACK_BYTES = 65536
"""The program's stack, at the start of its memory."""

Term: TypeAlias = tuple[bytes, int]
"""A point and its scalar."""

_PAIR_BYTES = 2 * ELEMENT_BYTES
_BATCH_BYTES = 4096 * _PAIR_BYTES  # so that a long batch needs little memory


class Product(IntEnum):
    """What is found of a product of pairings e(P, Q): a number, or a point that is none."""

    ONE = 0
    OTHER = 1
    P_OFF_CURVE = 2
    Q_OFF_CURVE = 3
    Q_OUTSIDE_SUBGROUP = 4
    OUT_OF_MEMORY = 255


class Kernel:
    """An instance of the kernel. Threads may share it; their calls take turns."""

    def __init__(self, program: Program) -> None:
        self._instance = Store().instantiate(program)
        self._lock = Lock()
        self._poseidon_ready = False

    @classmethod
    def load(cls, cache: CompiledCache | None = None) -> "Kernel":
        """Make a new instance.

        The first one of a process compiles the program (0.1 s), or takes it from `cache`.
        """
        return cls(_program(cache))

    def poseidon2(self, pairs: bytes) -> bytes:
        """Hash pairs of field elements: n times 64 bytes to n times 32 bytes.

        Raises `ValueError` for another length or for an element that is not below r.
        """
        if len(pairs) % _PAIR_BYTES:
            raise ValueError("pairs of field elements have 64 bytes each")
        batches = range(0, len(pairs), _BATCH_BYTES)
        return b"".join(self._hash(pairs[i : i + _BATCH_BYTES]) for i in batches)

    def msm_g1(self, points: bytes, scalars: bytes) -> bytes:
        """Sum scalar times point in G1: n times 64 bytes (x, y) and n times 32 to one point.

        Zeros are the point at infinity. Scalars are below 2^254. Raises `ValueError` for a point
        off the curve, a scalar out of range, or lengths that do not fit.
        """
        return self._multi_scale("g1", points, scalars, G1_BYTES)

    def msm_g2(self, points: bytes, scalars: bytes) -> bytes:
        """Do the same on G2's curve, with 128 bytes a point: x0, x1, y0, y1, each x0 + x1 i.

        Does not check that the points are in the subgroup of order r; the sum is right in any
        case.
        """
        return self._multi_scale("g2", points, scalars, G2_BYTES)

    def multiply_pairings(self, pairs: Sequence[tuple[Sequence[Term], bytes]]) -> Product:
        """Tell whether the product of e(P, Q) is one, each P a sum of scalars times points.

        Args:
            pairs: the terms of P, points of G1 (64 bytes each, zeros are infinity) and scalars
                below 2^256, and Q of G2, 128 bytes, never infinity, which counts as off the curve.

        All points are checked, also for the subgroup.
        """
        terms = [term for sum_, _ in pairs for term in sum_]
        counts = struct.pack(f"<{len(pairs)}I", *(len(sum_) for sum_, _ in pairs))
        with self.scratch() as scratch:
            found = scratch.call(
                "pairings_multiply",
                scratch.hold(b"".join(point for point, _ in terms)),
                scratch.hold(
                    b"".join(scalar.to_bytes(ELEMENT_BYTES, "little") for _, scalar in terms)
                ),
                scratch.hold(counts),
                scratch.hold(b"".join(q for _, q in pairs)),
                len(pairs),
            )
        if found == Product.OUT_OF_MEMORY:
            raise MemoryError("the kernel's memory is full")
        return Product(found)

    def multiply_edwards(self, points: bytes, scalars: bytes) -> bytes:
        """Multiply n points of Baby Jubjub, 64 bytes each (x, y), by scalars of 32 bytes.

        Points are not checked. Raises `ValueError` for lengths that do not fit.
        """
        count = len(scalars) // ELEMENT_BYTES
        if (len(points), len(scalars)) != (count * _PAIR_BYTES, count * ELEMENT_BYTES):
            raise ValueError("as many scalars as points are needed")
        with self.scratch() as scratch:
            products = scratch.reserve(len(points))
            arguments = scratch.hold(points), scratch.hold(scalars), count, products
            scratch.call("edwards_multiply_plain", *arguments)
            return bytes(scratch.read(products, len(points)))

    def keep(self, data: bytes | memoryview) -> int:
        """Copy `data` into the instance for as long as it lives and return its address."""
        with self._lock:
            return Scratch(self._instance).hold(data)

    @contextmanager
    def scratch(self) -> Iterator["Scratch"]:
        """Lend memory, to one thread at a time, that is overwritten when the block ends."""
        with self._lock:
            scratch = Scratch(self._instance)
            start = scratch.reserve(0)
            try:
                yield scratch
            finally:
                self._instance.call("release", start)
                self._instance.write(0, bytes(STACK_BYTES))

    def _hash(self, pairs: bytes) -> bytes:
        count = len(pairs) // _PAIR_BYTES
        with self.scratch() as scratch:
            if not self._poseidon_ready:
                scratch.call("poseidon2_parameters", scratch.hold(kernel_parameters()))
                self._poseidon_ready = True
            hashes = scratch.reserve(count * ELEMENT_BYTES)
            if not scratch.call("poseidon2_pairs", scratch.hold(pairs), hashes, count):
                raise ValueError("Poseidon's inputs must be in [0, r)")
            return bytes(scratch.read(hashes, count * ELEMENT_BYTES))

    def _multi_scale(self, group: str, points: bytes, scalars: bytes, point_bytes: int) -> bytes:
        count = len(scalars) // ELEMENT_BYTES
        if (len(points), len(scalars)) != (count * point_bytes, count * ELEMENT_BYTES):
            raise ValueError("as many scalars as points are needed")
        if any(byte >> 6 for byte in scalars[ELEMENT_BYTES - 1 :: ELEMENT_BYTES]):
            raise ValueError("scalars must be below 2^254")
        with self.scratch() as scratch:
            arguments = scratch.hold(points), scratch.hold(scalars), count
            total = scratch.reserve(point_bytes)
            if not scratch.call(f"{group}_multi_scale_plain", *arguments, total):
                raise ValueError("a point is not on the curve")
            return bytes(scratch.read(total, point_bytes))


class Scratch:
    """Memory of an instance. Addresses are offsets into it."""

    def __init__(self, instance: Instance) -> None:
        self.call = instance.call
        self.read = instance.read
        self._write = instance.write

    def reserve(self, size: int) -> int:
        """Return the address of `size` bytes. Raises `MemoryError`."""
        address = self.call("allocate", size)
        if not address:
            raise MemoryError("the kernel's memory is full")
        return address

    def hold(self, data: bytes | bytearray | memoryview) -> int:
        """Return the address of a copy of `data`."""
        address = self.reserve(len(data))
        self._write(address, data)
        return address


_programs: list[Program] = []
_programs_lock = Lock()


def _program(cache: CompiledCache | None) -> Program:
    with _programs_lock:
        if not _programs:
            wasm = Path(__file__).with_name("kernel.wasm").read_bytes()
            _programs.append(compile_program(wasm, cache))
        return _programs[0]
