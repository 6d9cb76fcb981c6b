"""kill -9 at each step of a deletion, a recovery and a decided review: done once, or not begun."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from enrollment.rows import EnrollmentStatus
from tests.desk import Desk, open_desk
from tests.integration.crashing_desk import DELETION, POINTS, RECOVERY, act, prepare
from transparency.entry import Kind

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def logged(desk: Desk, kind: Kind) -> int:
    log = desk.journal.log
    return sum(entry.kind is kind for entry in log.entries(0, log.size()))


@pytest.mark.parametrize("point", POINTS)
def test_killed(point: str, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/personhood.db")
    with open_desk(engine) as desk:
        case = prepare(desk)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.integration.crashing_desk", str(tmp_path), point],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with open_desk(engine) as desk:  # the next start
        if point in DELETION:
            act(desk, point, case)  # asked again, or for the first time as far as is known
            assert desk.members() == []
            assert len(desk.gallery) == 0
            assert [c.commitment for c in desk.service.removals()] == [1]
            assert logged(desk, Kind.REMOVAL) == logged(desk, Kind.IMAGE_DESTROYED) == 1
        elif point in RECOVERY:
            assert act_again(desk, point, case) is EnrollmentStatus.ACCEPTED
            assert desk.members() == [3]
            assert len(desk.gallery) == 1
            assert logged(desk, Kind.REMOVAL) == logged(desk, Kind.RECOVERY) == 1
        else:
            assert desk.service.find(case).status is EnrollmentStatus.ACCEPTED
            assert desk.members() == [1, 2]
            assert len(desk.gallery) == 2
            assert logged(desk, Kind.ADJUDICATION) == 1
    engine.dispose()


def act_again(desk: Desk, point: str, case: str) -> EnrollmentStatus:
    act(desk, point, case)
    held = desk.store.holder(3)
    assert held is not None
    return held.status
