"""The decoder against damaged and hostile files: no crash, no hang, no memory over 512 MB."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FUZZER = Path(__file__).with_name("fuzz_decoder.py")

LARGEST = """
import sys
from enrollment.capture import decode
from tests.integration.fuzz_decoder import peak_megabytes
print(decode(sys.stdin.buffer.read()).shape)
print(peak_megabytes())
"""


def run(*command: str, content: bytes = b"") -> str:
    done = subprocess.run(
        [sys.executable, *command],
        input=content,
        capture_output=True,
        timeout=300,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


def fuzz(seed: int, rounds: int) -> int:
    said = re.fullmatch(r"(\d+) decoded, peak \d+ MB\n", run(str(FUZZER), str(seed), str(rounds)))
    assert said is not None
    return int(said[1])


def test_mutated_files_are_decoded_or_refused() -> None:
    decoded = fuzz(seed=1, rounds=1500)
    assert 100 < decoded < 1400  # the mutations are neither all fatal nor all harmless


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_mutated_files_are_decoded_or_refused(seed: int) -> None:
    assert fuzz(seed, rounds=20_000) > 1000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True, "quality": 70}),
        ("PNG", "RGBA", {}),
        ("WEBP", "RGB", {"quality": 60, "method": 0}),
    ],
)
def test_the_largest_picture_stays_below_512_mb(
    kind: str, mode: str, options: dict[str, object]
) -> None:
    picture = Image.linear_gradient("L").resize((5000, 5000)).convert(mode)
    if mode == "RGBA":
        picture.putalpha(200)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, kind, exif=exif, **options)
    shape, peak = run("-c", LARGEST, content=buffer.getvalue()).splitlines()
    assert shape == "(5000, 5000, 3)"
    assert int(peak) < 512
