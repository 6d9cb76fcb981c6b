"""kill -9 at every step of an enrolment, then a restart: nobody is lost, nobody enrols twice."""

import hashlib
import signal
import subprocess
import sys

import pytest

from enrollment.pose import Pose
from enrollment.rows import EnrollmentRequest, EnrollmentStatus
from tests.integration.crashing_service import POINTS
from tests.photographs import another_exposure, as_jpeg, astronaut, person_of_six
from tests.service import commitments, running_kiosk

PHOTO = as_jpeg(astronaut())
DECIDED = {"after the gallery committed", "before settle", "after settle"}


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed(point, tmp_path, opencv_pack, face_engine):
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    command = [sys.executable, "-m", "tests.integration.crashing_service"]
    (commitment,) = commitments(7)
    killed = subprocess.run(
        [*command, str(tmp_path), "key", str(commitment), str(tmp_path / "photo.jpg"), point],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    with running_kiosk(tmp_path, opencv_pack.manifest, face_engine) as kiosk:
        if point in DECIDED:
            assert kiosk.stored() == (1, 1)
            assert kiosk.service.accepted_commitments() == [commitment]
            taken = kiosk.enroll(7, as_jpeg(person_of_six(0)))
            assert taken.json()["code"] == "commitment_already_enrolled"
        else:
            assert kiosk.stored() == (0, 0)
        again = EnrollmentRequest("key", hashlib.sha256(b"key").hexdigest(), commitment)
        answered = kiosk.service.enroll(again, [PHOTO], [Pose.FRONT])
        assert answered.status is EnrollmentStatus.ACCEPTED
        twin = kiosk.enroll(8, as_jpeg(another_exposure(astronaut())))
        assert twin.json()["outcome"] == "duplicate"
        assert kiosk.service.accepted_commitments() == [commitment]
        assert len(kiosk.gallery) == 1


def test_a_request_that_failed_on_the_way_does_not_keep_its_commitment(kiosk, monkeypatch):
    def fail(*_, **__):
        raise OSError("the disk went away")

    with monkeypatch.context() as broken:
        broken.setattr(kiosk.gallery._store, "commit", fail)
        assert kiosk.enroll(7, PHOTO).json()["code"] == "internal"
    assert kiosk.stored() == (0, 1)  # pending, for a retry
    other_photo = as_jpeg(another_exposure(astronaut()))
    assert kiosk.enroll(7, other_photo).json()["outcome"] == "accepted"
    assert kiosk.stored() == (1, 1)


def test_a_request_that_was_decided_but_not_recorded_is_settled_by_its_retry(kiosk, monkeypatch):
    def fail(*_, **__):
        raise OSError("the disk went away")

    with monkeypatch.context() as broken:
        broken.setattr(kiosk.service._store, "settle", fail)
        prepared = kiosk.prepare(7, PHOTO)
        assert kiosk.send(prepared).json()["code"] == "internal"
    assert kiosk.stored() == (1, 1)
    other = kiosk.enroll(7, as_jpeg(person_of_six(0)))
    assert other.json()["code"] == "commitment_already_enrolled"
    assert kiosk.send(prepared).json()["outcome"] == "accepted"
    assert kiosk.service.accepted_commitments() == commitments(7)
    assert len(kiosk.gallery) == 1
