"""Node runs the reference implementation beside ours; it is a tool of these tests alone."""

import json
import subprocess
from pathlib import Path
from typing import Any, Protocol

import pytest

HERE = Path(__file__).parent


class Node(Protocol):
    def __call__(self, script: str, **request: Any) -> Any: ...


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs a script of this directory: JSON in, JSON out."""
    if not (HERE / "node_modules").is_dir():
        pytest.fail("the reference packages are missing: run `npm ci` in tests/interop")

    def run(script: str, **request: Any) -> Any:
        done = subprocess.run(
            ["node", script],
            cwd=HERE,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
