"""Run WebAssembly programs: the circuit's witness program and our kernel.

The only file that knows `wasmtime`. Its exceptions stay in here: callers meet the two below, and
say in their own words what they mean.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TypeAlias

import wasmtime

from identity_proofs.compiled_cache import CompiledCache

Program: TypeAlias = wasmtime.Module
"""A compiled program. Threads may share it: each instance has its own memory."""


class InvalidProgram(Exception):
    """The bytes are no WebAssembly program, or one that lacks what is asked of it."""


class ProgramStopped(Exception):
    """The program stopped itself: it refuses its inputs."""


def compile_program(wasm: bytes | str, disk: CompiledCache | None = None) -> Program:
    """Compile a binary or a text of WebAssembly, or take it from `disk`.

    Raises `InvalidProgram`.
    """
    name = _cache_name(wasm) if disk else ""
    if disk and (compiled := disk.get(name)):
        with suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize(_engine(), compiled)
    try:
        program = wasmtime.Module(_engine(), wasm)
    except wasmtime.WasmtimeError as error:
        raise InvalidProgram("no valid WebAssembly") from error
    if disk:
        disk.put(name, program.serialize())
    return program


def _cache_name(wasm: bytes | str) -> str:
    """Name the program and its compiler."""
    content = wasm if isinstance(wasm, bytes) else wasm.encode()
    return f"{hashlib.sha256(content).hexdigest()}-{_compiler()}"


@cache
def _compiler() -> str:
    """Tell versions of wasmtime apart, and by a compiled empty program settings and processors."""
    empty = wasmtime.Module(_engine(), b"\0asm\1\0\0\0").serialize()
    return hashlib.sha256(_wasmtime_version().encode() + empty).hexdigest()


def _wasmtime_version() -> str:
    """Say what `importlib.metadata` would, without its import of 20 ms where that can be had."""
    installed = [path.name for path in Path(wasmtime.__file__).parents[1].glob("wasmtime-*-info")]
    if len(installed) == 1:
        return installed[0]
    from importlib.metadata import version

    return version("wasmtime")


class Store:
    """Instances that may import from each other. For one thread at a time."""

    def __init__(self) -> None:
        self._store = wasmtime.Store(_engine())

    def instantiate(
        self, program: Program, imports: Mapping[str, "Instance"] | None = None
    ) -> "Instance":
        """Start a program; `imports` gives the instance that stands for each module name.

        Raises `InvalidProgram` if it imports anything else, `ProgramStopped` if it does at once.
        """
        linker = wasmtime.Linker(_engine())
        for name, instance in (imports or {}).items():
            linker.define_instance(self._store, name, instance.raw)
        try:
            return Instance(self._store, linker.instantiate(self._store, program))
        except wasmtime.Trap:
            raise ProgramStopped from None
        except wasmtime.WasmtimeError:
            raise InvalidProgram("the program imports what is not there") from None


class Instance:
    """A running program and its memory."""

    def __init__(self, store: wasmtime.Store, raw: wasmtime.Instance) -> None:
        self.raw = raw
        self._store = store
        self._exports = raw.exports(store)

    def call(self, function: str, *arguments: int) -> int:
        """Call an exported function of 32-bit integers; without a result, it returns 0.

        Raises `InvalidProgram` if there is none, `ProgramStopped` if it does not return.
        """
        export = self._exports.get(function)
        if not isinstance(export, wasmtime.Func):
            raise InvalidProgram(f"no function {function}")
        try:
            result = export(self._store, *map(_signed, arguments))
        except (wasmtime.Trap, wasmtime.WasmtimeError):
            raise ProgramStopped from None
        return int(result or 0) & 0xFFFFFFFF

    def read(self, address: int, size: int) -> bytearray:
        """Copy `size` bytes out of its memory. Raises `IndexError` outside of it."""
        memory = self._memory()
        if not 0 <= address <= address + size <= memory.data_len(self._store):
            raise IndexError("outside the program's memory")
        return memory.read(self._store, address, address + size)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Copy `data` into its memory. Raises `IndexError` outside of it."""
        if data:  # a bytearray is not copied once more: it may be a secret
            whole = data if isinstance(data, bytearray) else bytearray(data)
            self._memory().write(self._store, whole, address)

    def _memory(self) -> wasmtime.Memory:
        memory = self._exports.get("memory")
        if not isinstance(memory, wasmtime.Memory):
            raise InvalidProgram("no memory")
        return memory


@cache
def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_wide_arithmetic = True
    return wasmtime.Engine(config)


def _signed(value: int) -> int:
    """Return the lowest 32 bits as WebAssembly's i32, which wasmtime takes as a signed integer."""
    word = value & 0xFFFFFFFF
    return word - (1 << 32) if word >> 31 else word
