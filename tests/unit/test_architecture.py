"""The walls that import-linter does not draw: one file for each heavy third party."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "personhood",
    "console",
    "enrollment",
    "uniqueness",
    "identity_proofs",
    "transparency",
    "distribution",
    "contracts",
)

WALLS = {
    "cv2": {"enrollment/engine.py", "enrollment/yunet.py"},
    "insightface": {"enrollment/engine.py"},
    "skimage": {"enrollment/engine.py"},
    "onnx": {"enrollment/graphs.py", "enrollment/tfjs.py", "uniqueness/onnx_scan.py"},
    "onnxruntime": {"uniqueness/onnx.py"},
    "argon2": {"console/passwords.py"},
    "pyotp": {"console/passwords.py"},
    "webauthn": {"console/passkeys.py"},
    "http_message_signatures": {"enrollment/signatures.py"},
    "jwt": {"enrollment/receipts.py"},
    "jinja2": {"console/rendering.py", "personhood/audit_report/page.py"},
    "prometheus_client": {"personhood/telemetry/metrics.py"},
    "reportlab": {"personhood/audit_report/pdf.py"},
    "limits": {"distribution/address_limits.py", "enrollment/limits.py"},
    "jax": {"uniqueness/private/spu_programs.py"},
    "spu": {f"uniqueness/private/spu_{part}.py" for part in ("machine", "programs", "worker")},
    "pymilvus": {"uniqueness/milvus_index.py"},
    "faiss": {
        "uniqueness/faiss_gpu.py",
        "uniqueness/faiss_index.py",
        "uniqueness/faiss_sketch.py",
        "uniqueness/faiss_threads.py",
    },
    "web3": {
        "distribution/chain.py",
        "distribution/embedded_node.py",
        "distribution/endpoint.py",
        "distribution/rpc.py",
    },
    "py_ecc": {"identity_proofs/groth16_reference.py"},
    "zksnake": {"identity_proofs/groth16_fast.py"},
    "mnemonic": {"identity_proofs/mnemonic.py"},
    "wasmtime": {"identity_proofs/webassembly.py"},
    "vyper": {"contracts/compile.py"},
}


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@cache
def imports_of(path: Path) -> set[str]:
    """Top-level names of all that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("library", WALLS)
def test_a_heavy_library_stands_behind_its_wall(library: str) -> None:
    importers = {str(path.relative_to(ROOT)) for path in modules() if library in imports_of(path)}
    assert importers == WALLS[library]


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    # The demo hands its environment on to the service that it starts; the other sets a variable.
    assert readers <= {"personhood/demo/service_process.py", "uniqueness/onnx.py"}


def test_modules_stay_short() -> None:
    ideas = [path for path in modules() if path.name != "errors.py"]  # a tree is one idea
    lengths = {path: len(path.read_text().splitlines()) for path in ideas}
    assert {path: n for path, n in lengths.items() if n > 320} == {}


def test_relayer_and_wallet_carry_no_face_and_no_service() -> None:
    script = (
        "import sys, personhood.relayer_app, personhood.commands.wallet_claim;"
        "assert not {'cv2', 'insightface', 'onnxruntime', 'faiss', 'enrollment'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_the_service_carries_no_chain_and_no_proof_library() -> None:
    """Also a safety matter: py_ecc raises the recursion limit of whatever process imports it."""
    script = (
        "import sys, personhood.app, personhood.commands.service;"
        "assert not {'web3', 'eth_account', 'py_ecc', 'zksnake'} & set(sys.modules);"
        "assert sys.getrecursionlimit() == 1000"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
