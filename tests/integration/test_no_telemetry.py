"""Whoever opens a model tells nobody, and keeps nothing to tell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models import CACHE, opencv_pack

ROOT = Path(__file__).parents[2]
OPENINGS = {
    "a face's models": (
        "import pathlib, sys\n"
        "from enrollment.engine import open_engine\n"
        "from enrollment.packs import load_pack\n"
        "open_engine(load_pack('opencv', pathlib.Path(sys.argv[1])))\n"
    ),
    "a compact index": ("from uniqueness.onnx_scan import CPU, CodeScan\nCodeScan(CPU)\n"),
}


@pytest.mark.parametrize("opening", OPENINGS)
def test_nobody_is_told(opening: str, tmp_path: Path) -> None:
    opencv_pack()
    # A home and a folder for temporary files of its own, and none of the variables by which the
    # library would notice that it is being tested.
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", OPENINGS[opening], str(CACHE)]
    subprocess.run(command, env=environment, check=True, cwd=tmp_path)
    assert list(tmp_path.rglob("*")) == []
