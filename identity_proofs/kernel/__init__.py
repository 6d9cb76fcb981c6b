"""BN254's hot loops, in C compiled to WebAssembly (`kernel.wasm`, built by `kernel.build`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from itertools import chain
from threading import Lock

from identity_proofs.poseidon_parameters import parameters
from identity_proofs.webassembly import Instance, Program, Store, compile_program

ELEMENT_BYTES = 32
"""Field elements travel as plain little-endian integers of this size."""

_PAIR_BYTES = 2 * ELEMENT_BYTES
_BATCH_BYTES = 4096 * _PAIR_BYTES  # so that a long batch needs little memory


class Kernel:
    """An instance of the kernel. Threads may share it; their calls take turns."""

    def __init__(self, program: Program) -> None:
        self._instance: Instance = Store().instantiate(program)
        self._lock = Lock()
        self._poseidon_ready = False

    @classmethod
    def load(cls) -> "Kernel":
        """Make a new instance of the kernel; compiled once a process."""
        return cls(_program())

    def poseidon2(self, pairs: bytes) -> bytes:
        """Hash pairs of field elements: n times 64 bytes to n times 32 bytes.

        Raises `ValueError` for another length or for an element that is not below r.
        """
        if len(pairs) % _PAIR_BYTES:
            raise ValueError("pairs of field elements have 64 bytes each")
        batches = range(0, len(pairs), _BATCH_BYTES)
        with self._lock:
            self._load_poseidon()
            return b"".join(self._hash(pairs[i : i + _BATCH_BYTES]) for i in batches)

    def _hash(self, pairs: bytes) -> bytes:
        count = len(pairs) // _PAIR_BYTES
        with self._memory() as memory:
            hashes = memory.reserve(count * ELEMENT_BYTES)
            if not self._instance.call("poseidon2_pairs", memory.hold(pairs), hashes, count):
                raise ValueError("Poseidon's inputs must be in [0, r)")
            return bytes(self._instance.read(hashes, count * ELEMENT_BYTES))

    def _load_poseidon(self) -> None:
        if not self._poseidon_ready:
            with self._memory() as memory:
                self._instance.call("poseidon2_parameters", memory.hold(_poseidon_parameters()))
            self._poseidon_ready = True

    @contextmanager
    def _memory(self) -> Iterator["_Memory"]:
        """Lend memory that is overwritten when the block ends."""
        memory = _Memory(self._instance)
        start = memory.reserve(0)
        try:
            yield memory
        finally:
            self._instance.call("release", start)


class _Memory:
    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def reserve(self, size: int) -> int:
        """Return the address of `size` bytes. Raises `MemoryError`."""
        address = self._instance.call("allocate", size)
        if not address:
            raise MemoryError("the kernel's memory is full")
        return address

    def hold(self, data: bytes | bytearray) -> int:
        """Return the address of a copy of `data`."""
        address = self.reserve(len(data))
        self._instance.write(address, data)
        return address


@cache
def _program() -> Program:
    wasm = resources.files(__package__) / "kernel.wasm"
    return compile_program(wasm.read_bytes())


@cache
def _poseidon_parameters() -> bytes:
    """Width 3's parameters in the order of `src/poseidon.h`."""
    p = parameters(3)
    corner = p.mix[0][0]
    partial = ([x.constant, corner, *x.row, *x.column] for x in p.partial_rounds)
    vectors = chain(p.mix, p.first_rounds, partial, p.leave_basis, p.last_rounds)
    elements = chain.from_iterable(vectors)
    return b"".join(element.to_bytes(ELEMENT_BYTES, "little") for element in elements)
