"""Compile the kernel: `python -m identity_proofs.kernel.build` writes, `--check` compares.

The compiler is zig's clang from the `ziglang` wheel. Its version is pinned, so that anyone gets
the same bytes and can see that the shipped program is this source's.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

COMPILER_VERSION = "0.17.1"

_HERE = Path(__file__).parent
_SOURCE = Path("src/kernel.c")
OUTPUT = _HERE / "kernel.wasm"
_FLAGS = [
    "-target", "wasm32-freestanding", "-mcpu=generic+wide_arithmetic-bulk_memory-bulk_memory_opt",
    "-std=c11", "-O3", "-ffreestanding", "-nostdlib", "-fno-sanitize=all",
    "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
    "-Wl,--no-entry", "-Wl,--strip-all", "-Wl,-z,stack-size=65536",
]  # fmt: skip


def build() -> bytes:
    """Compile the source and return the program. Raises `RuntimeError` for another compiler."""
    if (found := version("ziglang")) != COMPILER_VERSION:
        raise RuntimeError(f"ziglang {COMPILER_VERSION} is needed, not {found}")
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "kernel.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", str(output), str(_SOURCE)]
        subprocess.run(command, cwd=_HERE, check=True)
        return output.read_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compile the kernel.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    program = build()
    if not parser.parse_args().check:
        OUTPUT.write_bytes(program)
    elif program != OUTPUT.read_bytes():
        sys.exit("kernel.wasm is not what its source gives: run identity_proofs.kernel.build")


if __name__ == "__main__":
    main()
