"""A process that deletes, recovers or carries out a decided review, and dies at a point.

python -m tests.integration.crashing_desk DIRECTORY POINT
"""

import sys
from typing import Any

from sqlalchemy import create_engine

from enrollment import deletion, recovery
from enrollment.adjudication import AdjudicationService
from enrollment.cases import Verdict
from enrollment.deletion import DeletionService
from enrollment.store import EnrollmentStore
from tests.desk import BOTH, ENROLLED, Desk, open_desk
from tests.integration.power_cut import die_at
from uniqueness.gallery import Gallery

DELETION: dict[str, tuple[Any, str, str, int]] = {
    "before it leaves": (DeletionService, "_leave", "before", 1),
    "leaving, not committed": (deletion, "record_change", "after", 1),
    "it left, templates are there": (Gallery, "remove", "before", 1),
    "templates erased": (Gallery, "remove", "after", 1),
    "forgotten, not committed": (deletion, "forget", "after", 1),
    "forgotten": (DeletionService, "_forget", "after", 1),
}
RECOVERY: dict[str, tuple[Any, str, str, int]] = {
    "before the swap": (recovery.Recoveries, "replace", "before", 1),
    "old wallet out, not committed": (recovery, "record_change", "after", 1),
    "both written, not committed": (recovery, "forget", "after", 1),
    "after the swap": (recovery.Recoveries, "replace", "after", 1),
}
REVIEW: dict[str, tuple[Any, str, str, int]] = {
    "voted, not enrolled": (AdjudicationService, "finish", "before", 1),
    "enrolled, not settled": (EnrollmentStore, "settle", "before", 1),
    "settled": (EnrollmentStore, "settle", "after", 1),
}
POINTS = {**DELETION, **RECOVERY, **REVIEW}


def prepare(desk: Desk) -> str:
    """Person 1 is enrolled, somebody like person 1 waits for a review with one vote."""
    desk.enroll("1", 1, ENROLLED)
    case = desk.enroll("2 like 1", 2, BOTH).id
    desk.service.adjudication.open(case, "Ada")
    desk.service.adjudication.vote(case, "Ada", Verdict.DIFFERENT)
    return case


def act(desk: Desk, point: str, case: str) -> None:
    """Do what the point is a point of."""
    if point in DELETION:
        desk.service.deletion.delete(1)
    elif point in RECOVERY:
        desk.recover("1", 3)
    else:
        desk.service.adjudication.open(case, "Ben")
        desk.service.adjudication.vote(case, "Ben", Verdict.DIFFERENT)


def main(directory: str, point: str) -> None:
    with open_desk(create_engine(f"sqlite:///{directory}/personhood.db")) as desk:
        (case,) = desk.service.adjudication.queue()
        die_at(*POINTS[point])
        act(desk, point, case.id)


if __name__ == "__main__":
    main(*sys.argv[1:])
