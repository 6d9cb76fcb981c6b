"""Compute a circuit's witness by running its circom-made WebAssembly program."""

import struct
from collections.abc import Mapping, Sequence

from identity_proofs.compiled_cache import CompiledCache
from identity_proofs.errors import ArtifactInvalid, ProvingFailed
from identity_proofs.webassembly import (
    InvalidProgram,
    Program,
    ProgramStopped,
    Store,
    compile_program,
)

_ELEMENT_BYTES = 32
_RECORD_BYTES = 44

# The functions a circom program imports. The host offers none in Python: wasmtime keeps an
# exception raised in a callback in a global, where another thread could meet it.
_RUNTIME = """
(module
  (func (export "exceptionHandler") (param i32) unreachable)
  (func (export "printErrorMessage"))
  (func (export "writeBufferMessage"))
  (func (export "showSharedRWMemory")))
"""

# Hands over all inputs and copies out the whole witness, through its own memory: two calls from
# the host and not 65,000. An input is 11 words: the hash of the signal's name, high and low, the
# position in the signal, and the value.
_CLERK = """
(module
  (import "circuit" "getWitnessSize" (func $size (result i32)))
  (import "circuit" "getWitness" (func $select (param i32)))
  (import "circuit" "readSharedRWMemory" (func $read (param i32) (result i32)))
  (import "circuit" "writeSharedRWMemory" (func $write (param i32 i32)))
  (import "circuit" "setInputSignal" (func $set (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "reserve") (param $bytes i32)
    (if (i32.lt_s
          (memory.grow (i32.shr_u (i32.add (local.get $bytes) (i32.const 65535)) (i32.const 16)))
          (i32.const 0))
      (then unreachable)))
  (func (export "hand_over") (param $inputs i32)
    (local $at i32) (local $word i32)
    (loop $each
      (if (i32.eqz (local.get $inputs)) (then return))
      (local.set $word (i32.const 0))
      (loop $words
        (call $write (local.get $word)
          (i32.load offset=12
            (i32.add (local.get $at) (i32.shl (local.get $word) (i32.const 2)))))
        (local.set $word (i32.add (local.get $word) (i32.const 1)))
        (br_if $words (i32.lt_u (local.get $word) (i32.const 8))))
      (call $set (i32.load (local.get $at)) (i32.load offset=4 (local.get $at))
        (i32.load offset=8 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 44)))
      (local.set $inputs (i32.sub (local.get $inputs) (i32.const 1)))
      (br $each)))
  (func (export "collect")
    (local $signal i32) (local $word i32) (local $at i32)
    (loop $signals
      (call $select (local.get $signal))
      (local.set $word (i32.const 0))
      (loop $words
        (i32.store (local.get $at) (call $read (local.get $word)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $word (i32.add (local.get $word) (i32.const 1)))
        (br_if $words (i32.lt_u (local.get $word) (i32.const 8))))
      (local.set $signal (i32.add (local.get $signal) (i32.const 1)))
      (br_if $signals (i32.lt_u (local.get $signal) (call $size))))))
"""


class Circuit:
    """A compiled witness program. Threads may share it: each witness has its own memory."""

    def __init__(self, program: Program, cache: CompiledCache | None = None) -> None:
        self._program = program
        self._runtime = compile_program(_RUNTIME, cache)
        self._clerk = compile_program(_CLERK, cache)

    @classmethod
    def compile(cls, wasm: bytes, cache: CompiledCache | None = None) -> "Circuit":
        """Compile the program, which takes about a second, or take it from `cache`.

        Raises `ArtifactInvalid`.
        """
        try:
            return cls(compile_program(wasm, cache), cache)
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
        clerk = store.instantiate(self._clerk, {"circuit": circuit})
        records = [
            struct.pack("<3I", *_signal_hash(signal), position) + value.to_bytes(32, "little")
            for signal, values in inputs.items()
            for position, value in enumerate(values)
        ]
        size = circuit.call("getWitnessSize") * _ELEMENT_BYTES
        clerk.call("reserve", max(size, len(records) * _RECORD_BYTES))
        clerk.write(0, b"".join(records))
        circuit.call("init", 0)
        clerk.call("hand_over", len(records))
        clerk.call("collect")
        return clerk.read(0, size)


def _signal_hash(name: str) -> tuple[int, int]:
    """64-bit FNV-1a, high and low half: how circom's programs address a signal."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state >> 32, state & 0xFFFFFFFF
