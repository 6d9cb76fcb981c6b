"""Compute a circuit's witness by running its circom-made WebAssembly program."""

from collections.abc import Mapping, Sequence

import wasmtime

from identity_proofs.errors import ArtifactInvalid, ProvingFailed

_WORD_BITS = 32
_ELEMENT_WORDS = 8
_ELEMENT_BYTES = 32

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

    def __init__(self, wasm: bytes) -> None:
        """Compile the program, which takes about half a second. Raises `ArtifactInvalid`."""
        self._engine = wasmtime.Engine()
        try:
            self._program = wasmtime.Module(self._engine, wasm)
        except wasmtime.WasmtimeError as error:
            raise ArtifactInvalid("The witness program is no valid WebAssembly.") from error
        self._runtime = wasmtime.Module(self._engine, _RUNTIME)
        self._collector = wasmtime.Module(self._engine, _COLLECTOR)

    def witness(self, inputs: Mapping[str, Sequence[int]]) -> list[int]:
        """Return every signal in [0, r): the constant 1, the public ones, the private ones.

        `inputs` maps each input signal's name to its values in [0, r). Raises `ProvingFailed` if
        they do not satisfy the circuit.
        """
        try:
            data = self._run(inputs)
        except (wasmtime.WasmtimeError, wasmtime.Trap):
            raise ProvingFailed("The inputs do not satisfy the circuit.") from None
        return [
            int.from_bytes(data[i : i + _ELEMENT_BYTES], "little")
            for i in range(0, len(data), _ELEMENT_BYTES)
        ]

    def _run(self, inputs: Mapping[str, Sequence[int]]) -> bytearray:
        store = wasmtime.Store(self._engine)
        linker = wasmtime.Linker(self._engine)
        linker.define_instance(store, "runtime", linker.instantiate(store, self._runtime))
        program = linker.instantiate(store, self._program)
        linker.define_instance(store, "circuit", program)
        call = _Caller(store, program)
        call("init", 0)
        for signal, values in inputs.items():
            for position, value in enumerate(values):
                for word in range(_ELEMENT_WORDS):
                    call("writeSharedRWMemory", word, _signed(value >> _WORD_BITS * word))
                call("setInputSignal", *_signal_hash(signal), position)
        collector = linker.instantiate(store, self._collector)
        end = _Caller(store, collector)("collect")
        memory = collector.exports(store)["memory"]
        if not isinstance(memory, wasmtime.Memory):
            raise TypeError("the collector exports no memory")
        return memory.read(store, 0, end)


class _Caller:
    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance) -> None:
        self._store = store
        self._exports = instance.exports(store)

    def __call__(self, name: str, *arguments: int) -> int:
        function = self._exports[name]
        if not isinstance(function, wasmtime.Func):
            raise ArtifactInvalid(f"The witness program's {name} is no function.")
        result: int = function(self._store, *arguments)
        return result


def _signed(value: int) -> int:
    """Return the lowest 32 bits as WebAssembly's i32, which wasmtime takes as a signed integer."""
    word = value & 0xFFFFFFFF
    return word - (1 << 32) if word >> 31 else word


def _signal_hash(name: str) -> tuple[int, int]:
    """64-bit FNV-1a, high and low half: how circom's programs address a signal."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return _signed(state >> 32), _signed(state)
