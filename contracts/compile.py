"""Compiles `src/` to `compiled/`, which is checked in: nobody needs a compiler to deploy or call.

    python -m contracts.compile           write
    python -m contracts.compile --check   compare, and exit with 1 if anything differs

Needs the `dev` extra (Vyper, pinned). The same sources give the same bytes on every machine and
from every directory.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from vyper import __version__ as vyper_version
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

SOURCES = Path(__file__).parent / "src"
COMPILED = Path(__file__).parent / "compiled"
NAMES = ("LocalCoin", "PersonhoodRegistry", "UbiDistributor")


def compile_contract(source: Path) -> dict[str, Any]:
    """Return the artifact of the contract in `source`.

    Keys: `name`; `compiler` and `evm_version`; `source_sha256`, Vyper's digest over the source
    and everything it imports; `abi`; `bytecode`, the creation code as 0x-hex, to which the
    constructor's arguments are appended.

    Raises:
        vyper.exceptions.VyperException: `source` does not compile.
    """
    bundle = FilesystemInputBundle([SOURCES])
    output = compile_from_file_input(
        bundle.load_file(source),
        bundle,
        output_formats=("abi", "bytecode", "integrity", "settings_dict"),
    )
    return {
        "name": source.stem,
        "compiler": f"vyper {vyper_version}",
        "evm_version": output["settings_dict"]["evm_version"],
        "source_sha256": output["integrity"],
        "abi": output["abi"],
        "bytecode": output["bytecode"],
    }


def stale_artifacts() -> list[str]:
    """Return the names of the contracts whose artifact differs from a fresh compilation."""
    return [name for name in NAMES if _read(name) != _render(name)]


def _render(name: str) -> str:
    return json.dumps(compile_contract(SOURCES / f"{name}.vy"), indent=1) + "\n"


def _read(name: str) -> str | None:
    path = COMPILED / f"{name}.json"
    return path.read_text(encoding="utf-8") if path.exists() else None


def main() -> None:
    """Write the artifacts, or with `--check` compare them."""
    parser = argparse.ArgumentParser(prog="python -m contracts.compile")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if parser.parse_args().check:
        if stale := stale_artifacts():
            sys.exit(f"not up to date: {', '.join(stale)}; run `python -m contracts.compile`")
        return
    COMPILED.mkdir(exist_ok=True)
    for name in NAMES:
        (COMPILED / f"{name}.json").write_text(_render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
