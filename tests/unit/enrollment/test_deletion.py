"""Who asks to be forgotten is: member, template, pictures and row go, and it is done once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from enrollment.errors import (
    CommitmentAlreadyEnrolled,
    EnrollmentUndecided,
    IdempotencyKeyReused,
    ReviewCaseUnknown,
    WalletNotEnrolled,
)
from enrollment.kept import KeptRow
from enrollment.membership import Change
from enrollment.persons import PersonRow
from enrollment.rows import EnrollmentRow, EnrollmentStatus
from tests.desk import BOTH, ENROLLED, open_desk, request_of
from uniqueness.errors import GalleryUnavailable

ACCEPTED = EnrollmentStatus.ACCEPTED


def counts(desk) -> tuple[int, int, int]:
    """Enrolments, links to people and kept records."""
    with desk.engine.connect() as connection:
        tables = EnrollmentRow, PersonRow, KeptRow
        found = [connection.scalar(select(func.count()).select_from(t)) for t in tables]
    return tuple(found)


def test_everything_of_the_person_goes_and_of_nobody_else(desk):
    desk.enroll("1", 1, ENROLLED)
    desk.enroll("2", 2, ENROLLED)
    done = desk.service.deletion.delete(1)
    assert (done.before, done.removal.change, done.removal.commitment) == (False, Change.DELETED, 1)
    assert counts(desk) == (1, 1, 1)
    assert desk.members() == [2]
    assert len(desk.gallery) == 1
    assert desk.enroll("2", 3).status is EnrollmentStatus.DUPLICATE


def test_changes_are_in_the_order_in_which_they_are_to_be_published(desk):
    for number in (1, 2):
        desk.enroll(str(number), number)
    desk.service.deletion.delete(1)
    desk.enroll("3", 3)
    changes = desk.service.membership_changes()
    assert [(c.sequence, c.commitment, c.change.value) for c in changes] == [
        (1, 1, "added"),
        (2, 2, "added"),
        (3, 1, "deleted"),
        (4, 3, "added"),
    ]
    assert desk.service.removals() == [changes[2]]
    assert desk.service.membership_changes(after=3) == changes[3:]
    assert desk.service.accepted_commitments() == [1, 2, 3]


def test_a_second_deletion_says_that_it_is_one(desk):
    desk.enroll("1", 1)
    first, second = desk.service.deletion.delete(1), desk.service.deletion.delete(1)
    assert (first.before, second.before) == (False, True)
    assert first.removal == second.removal
    assert len(desk.service.removals()) == 1


def test_the_person_may_come_again_with_another_wallet_and_not_with_this_one(desk):
    desk.enroll("1", 1)
    desk.service.deletion.delete(1)
    with pytest.raises(CommitmentAlreadyEnrolled):
        desk.enroll("1", 1, key="again")
    assert desk.enroll("1", 2).status is ACCEPTED
    assert desk.members() == [2]


def test_a_key_of_a_forgotten_request_is_of_no_use(desk):
    """The gallery has a verdict under it, which names somebody who is not there any more."""
    desk.enroll("1", 1, key="k")
    desk.service.deletion.delete(1)
    with pytest.raises(IdempotencyKeyReused):
        desk.enroll("1", 2, key="k")
    with pytest.raises(IdempotencyKeyReused):
        desk.enroll("1", 1, key="k")
    assert desk.members() == []


def test_a_wallet_of_nobody_is_told_so(desk):
    desk.enroll("1", 1)
    desk.enroll("1", 2)  # a duplicate
    for commitment in (2, 3):
        with pytest.raises(WalletNotEnrolled):
            desk.service.deletion.delete(commitment)
        with pytest.raises(WalletNotEnrolled):
            desk.service.deletion.forget_images(commitment)
    assert desk.members() == [1]


def test_pictures_alone_may_go(desk):
    accepted = desk.enroll("1", 1, ENROLLED)
    assert desk.service.deletion.forget_images(1) is True
    assert desk.service.deletion.forget_images(1) is False
    assert desk.images(accepted) == ()
    assert desk.members() == [1]


@pytest.mark.parametrize("only_images", [False, True])
def test_who_waits_for_a_review_may_withdraw(desk, only_images):
    desk.enroll("1", 1, ENROLLED)
    case = desk.enroll("2 like 1", 2, BOTH).id
    desk.service.adjudication.open(case, "Ada")
    if only_images:
        assert desk.service.deletion.forget_images(2) is True
    else:
        assert desk.service.deletion.delete(2).removal is None
    assert counts(desk) == (1, 1, 1)
    with pytest.raises(ReviewCaseUnknown):
        desk.service.adjudication.open(case, "Ben")
    assert desk.service.adjudication.queue() == ()
    assert desk.enroll("5", 2).status is ACCEPTED  # never was a member, so it is free


def test_what_is_being_decided_is_not_deleted_from_under_it(desk):
    desk.store.reserve(request_of("1", 1))
    with pytest.raises(EnrollmentUndecided):
        desk.service.deletion.delete(1)
    with pytest.raises(EnrollmentUndecided):
        desk.service.deletion.forget_images(1)


def test_deletions_at_the_same_moment_are_one(desk):
    desk.enroll("1", 1)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(desk.service.deletion.delete, [1] * 4))
    assert len({done.removal for done in told}) == 1
    assert len(desk.service.removals()) == 1
    assert counts(desk) == (0, 0, 0)
    assert len(desk.gallery) == 0


def test_one_that_broke_off_goes_on_when_it_is_asked_again(desk, monkeypatch):
    desk.enroll("1", 1)
    with monkeypatch.context() as broken:
        broken.setattr(desk.gallery, "remove", _fail)
        with pytest.raises(GalleryUnavailable):
            desk.service.deletion.delete(1)
    assert desk.members() == []
    assert len(desk.gallery) == 1
    assert desk.service.deletion.delete(1).before
    assert counts(desk) == (0, 0, 0)
    assert len(desk.gallery) == 0


def test_one_that_broke_off_goes_on_at_the_next_start(desk_engine, monkeypatch):
    with open_desk(desk_engine) as desk:
        desk.enroll("1", 1)
        with monkeypatch.context() as broken:
            broken.setattr(desk.store.persons, "unlink", _fail)
            with pytest.raises(GalleryUnavailable):
                desk.service.deletion.delete(1)
        assert len(desk.gallery) == 0
        assert counts(desk) == (1, 1, 0)
    with open_desk(desk_engine) as desk:
        assert counts(desk) == (0, 0, 0)


def _fail(*_, **__):
    raise GalleryUnavailable("the database went away")
