"""Measure a wallet's whole proof process beside snarkjs: CPU seconds and peak memory by depth.

    npm install --prefix DIR snarkjs@0.7.6     # a tool for this measurement only: it is GPL
    python -m benchmarks.prover --snarkjs DIR

Each figure is the least of several new processes, children and threads included: our interpreter
starts, reads and checks the circuit's files, computes the witness, proves and prints the proof.
The first process of a depth, which fills the cache of compiled programs, is told apart. snarkjs
gets the same inputs, and its public signals must be ours.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from benchmarks.wallet_proof import MESSAGE, PRIVATE_KEY, SCOPE, siblings
from identity_proofs.artifacts import install_artifacts, load_artifacts
from identity_proofs.identity import Identity
from identity_proofs.poseidon import poseidon
from identity_proofs.proof import SemaphoreProof, to_field
from identity_proofs.verifier import verify_proof

ROOT = Path(__file__).parents[1]
NPM_PACKAGE = ROOT / "node_modules/@zk-kit/semaphore-artifacts"
DEPTHS = (10, 16, 20, 27, 32)


@dataclass(frozen=True)
class Run:
    """One process: CPU seconds (user and system), peak resident MB, what it printed."""

    cpu_seconds: float
    peak_mb: float
    output: str


@dataclass(frozen=True)
class Row:
    depth: int
    cold: float
    warm: float
    peak_mb: float
    snarkjs: float | None


def merkle_root(depth: int) -> int:
    commitment = Identity.from_private_key(PRIVATE_KEY).commitment
    return reduce(lambda node, sibling: poseidon((node, sibling)), siblings(depth), commitment)


def circuit_inputs(depth: int) -> dict[str, object]:
    """Return what `wallet_proof.py` gives the circuit, as snarkjs takes it."""
    return {
        "secret": str(Identity.from_private_key(PRIVATE_KEY).secret_scalar),
        "merkleProofLength": str(depth),
        "merkleProofIndex": "0",
        "merkleProofSiblings": [str(sibling) for sibling in siblings(depth)],
        "scope": str(to_field(SCOPE)),
        "message": str(to_field(MESSAGE)),
    }


def run(command: Sequence[str | Path], directory: Path) -> Run:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=directory, stdout=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        text = output.read().decode()
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def verified(output: str, cache: Path, depth: int) -> list[int]:
    """Return the public signals of a proof, which must hold."""
    proof = SemaphoreProof.from_dict(json.loads(output))
    root = proof.merkle_tree_root
    key = load_artifacts(cache, depth).verification_key
    verify_proof(proof, roots={root}, scope=SCOPE, message=MESSAGE, key=key)
    return [root, proof.nullifier, to_field(MESSAGE), to_field(SCOPE)]


def measure(depth: int, package: Path, snarkjs: Path | None, repeats: int) -> Row:
    with tempfile.TemporaryDirectory() as directory:
        cache = Path(directory)
        artifacts = install_artifacts(package, cache, depth)
        program = Path(__file__).with_name("wallet_proof.py").absolute()
        ours = [sys.executable, program, str(depth), directory, str(merkle_root(depth))]
        cold = run(ours, cache)
        warm = [run(ours, cache) for _ in range(repeats)]
        signals = verified(warm[-1].output, cache, depth)
        theirs = None
        if snarkjs:
            inputs = cache / "inputs.json"
            inputs.write_text(json.dumps(circuit_inputs(depth)))
            script = Path(__file__).with_name("snarkjs_prove.mjs").absolute()
            command = ["node", script, inputs, artifacts.wasm_path, artifacts.zkey_path]
            runs = [run(command, snarkjs) for _ in range(repeats)]
            if [int(signal) for signal in json.loads(runs[-1].output)] != signals:
                raise RuntimeError("snarkjs computed other public signals")
            theirs = min(one.cpu_seconds for one in runs)
    least = min(one.cpu_seconds for one in warm)
    return Row(depth, cold.cpu_seconds, least, max(one.peak_mb for one in warm), theirs)


def draw(rows: list[Row], path: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    depths = [row.depth for row in rows]
    if all(row.snarkjs for row in rows):
        axes.plot(depths, [row.snarkjs or 0 for row in rows], "s-", color="0.55", label="snarkjs")
    axes.plot(depths, [row.cold for row in rows], "o:", color="tab:blue", label="ours, first time")
    axes.plot(depths, [row.warm for row in rows], "o-", color="tab:blue", label="ours")
    axes.set(
        xlabel="depth of the circuit", ylabel="CPU seconds, whole process", xticks=depths, ylim=0
    )
    axes.set_title("One Semaphore proof in a new process", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the prover beside snarkjs.")
    parser.add_argument("--package", type=Path, default=NPM_PACKAGE, help="semaphore-artifacts")
    parser.add_argument("--snarkjs", type=Path, help="a directory in which snarkjs is installed")
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--chart", type=Path, help="a PNG file to write")
    options = parser.parse_args()

    print("| depth | first time | warm cache | peak memory | snarkjs | times faster |")
    print("|---|---|---|---|---|---|")
    rows = []
    for depth in options.depths:
        row = measure(depth, options.package, options.snarkjs, options.repeats)
        rows.append(row)
        theirs = f"{row.snarkjs:.2f} s | {row.snarkjs / row.warm:.1f}" if row.snarkjs else "- | -"
        print(
            f"| {depth} | {row.cold:.2f} s | {row.warm:.2f} s | {row.peak_mb:.0f} MB | {theirs} |",
            flush=True,
        )
    if options.chart:
        draw(rows, options.chart)


if __name__ == "__main__":
    main()
