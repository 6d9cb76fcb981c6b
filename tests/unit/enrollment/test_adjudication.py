"""Two people decide what the machine could not."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
from sqlalchemy import func, select

from enrollment.cases import CaseOutcome, Verdict, ViewRow, decide
from enrollment.errors import (
    AdjudicatorMayNotVote,
    AdjudicatorNameInvalid,
    CommitmentAlreadyEnrolled,
    ReviewCaseUnknown,
)
from enrollment.kept import KeptRow
from enrollment.rows import EnrollmentStatus
from tests.desk import BOTH, ENROLLED, REVIEW, open_desk
from uniqueness.errors import GalleryUnavailable

ACCEPTED, DUPLICATE = EnrollmentStatus.ACCEPTED, EnrollmentStatus.DUPLICATE
AGAIN, ADJUDICATION = EnrollmentStatus.REVIEW, EnrollmentStatus.ADJUDICATION
SAME, DIFFERENT, CANNOT_TELL = Verdict.SAME, Verdict.DIFFERENT, Verdict.CANNOT_TELL


@pytest.fixture
def case(desk):
    """Person 1 is enrolled with wallet 1; somebody like them came with wallet 2."""
    desk.enroll("1", 1, ENROLLED)
    waiting = desk.enroll("2 like 1", 2, BOTH)
    assert waiting.status is ADJUDICATION
    return waiting.id


def vote(desk, case, *verdicts):
    """Let Ada, Ben and Cleo look and vote, in this order."""
    for name, verdict in zip(("Ada", "Ben", "Cleo"), verdicts, strict=False):
        desk.service.adjudication.open(case, name)
        told = desk.service.adjudication.vote(case, name, verdict)
    return told


def kept(desk) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(KeptRow))


@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=3)))
def test_the_rule(verdicts):
    votes = dict(zip(("Ada", "Ben", "Cleo"), verdicts, strict=True))
    first, second, third = verdicts
    assert decide({"Ada": first}) is None
    two = decide({"Ada": first, "Ben": second})
    if first is second:
        assert two == first.value
        return
    assert two is None
    majority = third if third in (first, second) else CANNOT_TELL
    assert decide(votes) == majority.value


def test_adjudicators_see_both_people_and_are_written_down(desk, case):
    view = desk.service.adjudication.open(case, "Ada")
    assert view.images == (b"picture of 2 like 1",)
    assert view.candidates == ((b"picture of 1",),)
    assert b"picture" not in repr(view).encode()
    desk.service.adjudication.open(case, "Ada")
    with desk.engine.connect() as connection:
        seen = connection.execute(select(ViewRow.adjudicator, ViewRow.candidate)).all()
    assert seen == [("Ada", 1), ("Ada", 1)]


def test_told_apart_the_person_is_enrolled_and_counts_as_a_member(desk, case):
    assert vote(desk, case, DIFFERENT).outcome is None
    assert desk.service.find(case).status is ADJUDICATION
    assert desk.members() == [1]
    desk.service.adjudication.open(case, "Ben")
    assert desk.service.adjudication.vote(case, "Ben", DIFFERENT).outcome == DIFFERENT.value
    assert desk.service.find(case).status is ACCEPTED
    assert desk.members() == [1, 2]
    assert len(desk.gallery) == 2
    assert desk.images(desk.service.find(case)) == (b"picture of 2 like 1",)
    assert desk.enroll("2 like 1", 3).status is DUPLICATE
    assert desk.service.adjudication.queue() == ()


@pytest.mark.parametrize(
    ("verdicts", "status"), [((SAME, SAME), DUPLICATE), ((CANNOT_TELL, CANNOT_TELL), AGAIN)]
)
def test_otherwise_nothing_is_kept_and_the_wallet_is_free(desk, case, verdicts, status):
    vote(desk, case, *verdicts)
    assert desk.service.find(case).status is status
    assert kept(desk) == 1  # of the one who was enrolled before
    assert desk.members() == [1]
    assert desk.enroll("5", 2).status is ACCEPTED


def test_a_review_only_consent_ends_with_the_review(desk):
    desk.enroll("1", 1, ENROLLED)
    waiting = desk.enroll("2 like 1", 2, REVIEW)
    vote(desk, waiting.id, DIFFERENT, DIFFERENT)
    assert desk.service.find(waiting.id).status is ACCEPTED
    assert desk.images(waiting) == ()
    assert kept(desk) == 1


def test_a_third_one_is_asked_where_two_differ(desk, case):
    adjudication = desk.service.adjudication
    assert [c.id for c in adjudication.queue("Ada")] == [case]
    assert vote(desk, case, SAME, DIFFERENT).outcome is None
    assert adjudication.queue("Ada") == adjudication.queue("Ben") == ()
    assert [c.id for c in adjudication.queue("Cleo")] == [case]
    adjudication.open(case, "Cleo")
    assert adjudication.vote(case, "Cleo", DIFFERENT).outcome is CaseOutcome.DIFFERENT
    assert desk.service.find(case).status is ACCEPTED


def test_nobody_votes_twice_nor_unseen_nor_afterwards(desk, case):
    adjudication = desk.service.adjudication
    with pytest.raises(AdjudicatorMayNotVote, match="look"):
        adjudication.vote(case, "Ada", SAME)
    vote(desk, case, SAME)
    with pytest.raises(AdjudicatorMayNotVote, match="somebody else"):
        adjudication.vote(case, "Ada", SAME)
    adjudication.open(case, "Cleo")
    vote_of_ben = adjudication.open(case, "Ben") and adjudication.vote(case, "Ben", SAME)
    assert vote_of_ben.outcome is CaseOutcome.SAME
    with pytest.raises(AdjudicatorMayNotVote):
        adjudication.vote(case, "Cleo", DIFFERENT)
    with pytest.raises(ReviewCaseUnknown, match="over"):
        adjudication.open(case, "Cleo")
    with pytest.raises(ReviewCaseUnknown):
        adjudication.open("no such", "Cleo")
    for name in ("", "x" * 61, "a\nb"):
        with pytest.raises(AdjudicatorNameInvalid):
            adjudication.open(case, name)


def test_the_wallet_in_a_review_is_taken(desk, case):
    with pytest.raises(CommitmentAlreadyEnrolled):
        desk.enroll("5", 2)
    assert desk.enroll("2 like 1", 2, BOTH).id == case  # the same request, the same answer
    assert desk.service.find(case).status is ADJUDICATION


def test_who_else_was_enrolled_meanwhile_counts(desk, case):
    """Another capture of the same person was told apart first."""
    twin = desk.enroll("2 like 1", 3, BOTH, key="twin")
    vote(desk, twin.id, DIFFERENT, DIFFERENT)
    vote(desk, case, DIFFERENT, DIFFERENT)
    assert desk.service.find(twin.id).status is ACCEPTED
    assert desk.service.find(case).status is DUPLICATE
    assert desk.members() == [1, 3]
    assert len(desk.gallery) == 2


def test_pictures_deleted_meanwhile_end_the_review(desk, case):
    desk.service.deletion.forget_images(1)
    with pytest.raises(ReviewCaseUnknown, match="another capture"):
        desk.service.adjudication.open(case, "Ada")
    assert desk.service.find(case).status is AGAIN
    assert kept(desk) == 0


def test_votes_at_the_same_moment_decide_once(desk, case):
    names = [f"adjudicator {number}" for number in range(6)]
    for name in names:
        desk.service.adjudication.open(case, name)

    def cast(name):
        try:
            return desk.service.adjudication.vote(case, name, DIFFERENT).outcome
        except AdjudicatorMayNotVote:
            return "late"

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(cast, names))
    assert sorted(map(str, told)) == ["None", "different", *["late"] * 4]
    assert desk.members() == [1, 2]
    assert len(desk.gallery) == 2


@pytest.mark.parametrize("step", ["before the gallery", "after the gallery"])
def test_a_decision_that_broke_off_is_carried_out_at_the_next_start(desk_engine, step, monkeypatch):
    with open_desk(desk_engine) as desk:
        desk.enroll("1", 1, ENROLLED)
        case = desk.enroll("2 like 1", 2, BOTH).id
        vote(desk, case, DIFFERENT)
        desk.service.adjudication.open(case, "Ben")
        with monkeypatch.context() as broken:
            if step == "before the gallery":
                broken.setattr(desk.service.adjudication, "_enroll", _fail)
            else:
                broken.setattr(desk.store, "settle", _fail)
            with pytest.raises(GalleryUnavailable):
                desk.service.adjudication.vote(case, "Ben", DIFFERENT)
        assert desk.service.find(case).status is ADJUDICATION
    with open_desk(desk_engine) as desk:
        assert desk.service.find(case).status is ACCEPTED
        assert desk.members() == [1, 2]
        assert len(desk.gallery) == 2


def test_a_review_that_broke_off_before_its_case_is_opened_at_the_next_start(
    desk_engine, monkeypatch
):
    with open_desk(desk_engine) as desk:
        desk.enroll("1", 1, ENROLLED)
        with monkeypatch.context() as broken:
            broken.setattr(desk.store, "adjudicate", _fail)
            with pytest.raises(GalleryUnavailable):
                desk.enroll("2 like 1", 2, BOTH)
    with open_desk(desk_engine) as desk:
        (case,) = desk.service.adjudication.queue()
        assert vote(desk, case.id, DIFFERENT, DIFFERENT).outcome is CaseOutcome.DIFFERENT
        assert desk.members() == [1, 2]


def _fail(*_, **__):
    raise GalleryUnavailable("the database went away")
