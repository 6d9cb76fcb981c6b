"""The page's modules that need no browser, run by node."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

MODULES = Path(__file__).parent / "modules"


def run(script: str, given: object) -> Any:
    """Run a script of `modules/` with JSON as its input and its output."""
    done = subprocess.run(
        ["node", "--no-warnings", str(MODULES / script)],
        input=json.dumps(given, default=_encode).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def call(module: str, function: str, *args: object) -> Any:
    """Call a function of the page; arrays of uint8 and float32 travel as typed arrays."""
    return run("evaluate.mjs", {"module": module, "function": function, "args": args})


def _encode(value: object) -> object:
    if isinstance(value, np.ndarray):
        kind = {"uint8": "bytes", "float32": "floats"}[value.dtype.name]
        return {kind: base64.b64encode(value.tobytes()).decode()}
    raise TypeError(type(value))
