"""Compute a circuit's witness by running its circom-made WebAssembly program."""

from collections.abc import Mapping, Sequence

from identity_proofs.errors import ArtifactInvalid, ProvingFailed
from identity_proofs.webassembly import (
    InvalidProgram,
    Program,
    ProgramStopped,
    Store,
    compile_program,
)

_WORD_BITS = 32
_ELEMENT_WORDS = 8

# The functions a circom program imports. The host offers none in Python: wasmtime keeps an
# exception raised in a callback in a global, where another thread could meet it.
_RUNTIME = """
(module
  (func (export "exceptionHandler") (param i32) unreachable)
  (func (export "printErrorMessage"))
  (func (export "writeBufferMessage"))
  (func (export "showSharedRWMemory")))
"""

# Copies the whole witness into its own memory: one call from the host and not 65,000.
_COLLECTOR = """
(module
  (import "circuit" "getWitnessSize" (func $size (result i32)))
  (import "circuit" "getWitness" (func $select (param i32)))
  (import "circuit" "readSharedRWMemory" (func $word (param i32) (result i32)))
  (memory (export "memory") 0)
  (func (export "collect") (result i32)
    (local $signal i32) (local $word i32) (local $end i32)
    ;; 2048 elements of 32 bytes fill a page of 64 KiB
    (if (i32.lt_s
          (memory.grow (i32.add (i32.shr_u (call $size) (i32.const 11)) (i32.const 1)))
          (i32.const 0))
      (then unreachable))
    (loop $signals
      (call $select (local.get $signal))
      (local.set $word (i32.const 0))
      (loop $words
        (i32.store (local.get $end) (call $word (local.get $word)))
        (local.set $end (i32.add (local.get $end) (i32.const 4)))
        (local.set $word (i32.add (local.get $word) (i32.const 1)))
        (br_if $words (i32.lt_u (local.get $word) (i32.const 8))))
      (local.set $signal (i32.add (local.get $signal) (i32.const 1)))
      (br_if $signals (i32.lt_u (local.get $signal) (call $size))))
    (local.get $end)))
"""


class Circuit:
    """A compiled witness program. Threads may share it: each witness has its own memory."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._runtime = compile_program(_RUNTIME)
        self._collector = compile_program(_COLLECTOR)

    @classmethod
    def compile(cls, wasm: bytes) -> "Circuit":
        """Compile the program, which takes about a second. Raises `ArtifactInvalid`."""
        try:
            return cls(compile_program(wasm))
        except InvalidProgram as error:
            raise ArtifactInvalid("The witness program is no valid WebAssembly.") from error

    def witness(self, inputs: Mapping[str, Sequence[int]]) -> bytearray:
        """Return every signal, 32 little-endian bytes each, plain integers in [0, r).

        First the constant 1, then the public signals, then the private ones: a secret, which the
        caller should overwrite after use. `inputs` maps each input signal's name to its values in
        [0, r). Raises `ProvingFailed` if they do not satisfy the circuit, `ArtifactInvalid` if
        the program is no circom program.
        """
        try:
            return self._run(inputs)
        except ProgramStopped:
            raise ProvingFailed("The inputs do not satisfy the circuit.") from None
        except InvalidProgram as error:
            raise ArtifactInvalid("The witness program is not one that circom makes.") from error

    def _run(self, inputs: Mapping[str, Sequence[int]]) -> bytearray:
        store = Store()
        circuit = store.instantiate(self._program, {"runtime": store.instantiate(self._runtime)})
        circuit.call("init", 0)
        for signal, values in inputs.items():
            for position, value in enumerate(values):
                for word in range(_ELEMENT_WORDS):
                    circuit.call("writeSharedRWMemory", word, value >> _WORD_BITS * word)
                circuit.call("setInputSignal", *_signal_hash(signal), position)
        collector = store.instantiate(self._collector, {"circuit": circuit})
        return collector.read(0, collector.call("collect"))


def _signal_hash(name: str) -> tuple[int, int]:
    """64-bit FNV-1a, high and low half: how circom's programs address a signal."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state >> 32, state & 0xFFFFFFFF
