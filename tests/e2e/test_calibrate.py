"""`personhood calibrate` on photographs: 110 made people, two pictures each; then the service."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enrollment.capture import decode
from enrollment.engine import align, open_engine
from enrollment.faces import exactly_one
from personhood.app import open_service
from personhood.settings import Settings
from tests.models import opencv_pack
from tests.photographs import as_jpeg, astronaut, cat, person_of_six, six_people
from uniqueness.errors import CalibrationSignatureWrong

pytestmark = pytest.mark.slow

PEOPLE = 110


def made_people(directory: Path) -> None:
    """Blends of three of seven aligned faces: enough alike to be faces, enough apart to compare."""
    detector, _ = open_engine(opencv_pack())
    faces = []
    for portrait in [astronaut(), *(person_of_six(number) for number in range(6))]:
        image = decode(as_jpeg(portrait))
        faces.append(align(image, exactly_one(detector.detect([image])[0])).pixels.astype(float))
    random = np.random.default_rng(3)
    parts = itertools.cycle(itertools.permutations(range(7), 3))
    for number, (a, b, c) in zip(range(PEOPLE), parts, strict=False):
        weights = random.dirichlet([6.0, 2.0, 1.0])
        blend = weights[0] * faces[a] + weights[1] * faces[b] + weights[2] * faces[c]
        folder = directory / f"person-{number:03}"
        folder.mkdir(parents=True)
        for name, light in (("first", 1.0), ("second", 0.8)):
            pixels = np.clip(blend * light, 0, 255).astype(np.uint8)[..., ::-1]
            large = Image.fromarray(pixels).resize((448, 448), Image.Resampling.BICUBIC)
            framed = Image.new("RGB", (640, 640), (90, 90, 90))
            framed.paste(large, (96, 96))
            (folder / f"{name}.jpg").write_bytes(as_jpeg(framed))


def personhood(home: Path, *arguments: str, fails: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "personhood", *arguments],
        env=os.environ | {"PERSONHOOD_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_from_photographs_to_a_service_that_decides_by_them(tmp_path: Path) -> None:
    opencv_pack()
    faces, home = tmp_path / "faces", tmp_path / "home"
    made_people(faces)
    (faces / "person-000" / "group.jpg").write_bytes(as_jpeg(six_people()))
    (faces / "person-001" / "cat.jpg").write_bytes(as_jpeg(cat()))
    (tmp_path / "wrong").write_text("person-003 person-004  # one blend\nperson-001/cat.jpg\n")
    out, report = tmp_path / "calibration.json", tmp_path / "report.json"
    told = personhood(
        home, "calibrate", str(faces), f"--out={out}", f"--report={report}",
        f"--plots={tmp_path / 'plots'}", f"--leave-out={tmp_path / 'wrong'}", "--max-fnir=0.2",
    )  # fmt: skip
    assert "1 multiple_faces" in told
    assert "safe population" in told
    found = json.loads(report.read_text())
    assert found["rejected"]["person-000/group.jpg"] == "multiple_faces"
    assert "person-001/cat.jpg" not in found["rejected"]
    assert found["data"]["people"] > 100
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4
    assert (home / "operator.key").stat().st_mode & 0o777 == 0o600

    settings = Settings(home=home, calibration=out)
    with open_service(settings) as service:
        assert service.title
    out.write_text(out.read_text().replace('"max_fnir": 0.2', '"max_fnir": 0.9'))
    with pytest.raises(CalibrationSignatureWrong), open_service(settings):
        pass


def test_too_few_people_and_none(tmp_path: Path) -> None:
    opencv_pack()
    (tmp_path / "faces" / "Collins").mkdir(parents=True)
    assert "faces_unusable" in personhood(
        tmp_path, "calibrate", str(tmp_path / "faces"), f"--out={tmp_path / 'c'}", fails=1
    )
    (tmp_path / "faces" / "Collins" / "1.jpg").write_bytes(as_jpeg(astronaut()))
    told = personhood(
        tmp_path, "calibrate", str(tmp_path / "faces"), f"--out={tmp_path / 'c'}", fails=1
    )
    assert "calibration_impossible" in told
    assert not (tmp_path / "c").exists()
    assert "--out" in personhood(
        tmp_path, "calibrate", str(tmp_path / "faces"), f"--out={tmp_path}/no/c", fails=2
    )
