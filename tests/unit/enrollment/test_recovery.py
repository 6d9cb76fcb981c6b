"""A person who lost the wallet comes back: the match is the way in, and one wallet stays."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from enrollment.cases import Verdict
from enrollment.errors import (
    CommitmentAlreadyEnrolled,
    IdempotencyKeyReused,
    RecoveryTooSoon,
    ReviewCaseUnknown,
    WalletNotEnrolled,
)
from enrollment.recovery import Recoveries
from enrollment.rows import EnrollmentKind, EnrollmentStatus
from tests.desk import BOTH, ENROLLED, REVIEW, open_desk, request_of
from uniqueness.errors import GalleryUnavailable

ACCEPTED, NOT_FOUND = EnrollmentStatus.ACCEPTED, EnrollmentStatus.NOT_FOUND
AGAIN, ADJUDICATION = EnrollmentStatus.REVIEW, EnrollmentStatus.ADJUDICATION


def changes(desk):
    return [(c.commitment, c.change.value) for c in desk.service.membership_changes()]


def test_the_new_wallet_takes_the_place_of_the_old_one(desk):
    desk.enroll("1", 1)
    desk.enroll("2", 2)
    recovered = desk.recover("1", 3)
    assert recovered.status is ACCEPTED
    assert changes(desk) == [(1, "added"), (2, "added"), (1, "replaced"), (3, "added")]
    assert desk.members() == [2, 3]
    assert len(desk.gallery) == 2
    assert desk.recover("1", 3) == recovered  # the same request, the same answer
    assert desk.members() == [2, 3]


def test_the_person_now_is_the_new_wallets(desk):
    desk.enroll("1", 1)
    desk.recover("1", 2)
    with pytest.raises(WalletNotEnrolled):
        desk.service.deletion.delete(1)
    assert len(desk.gallery) == 1
    assert desk.service.deletion.delete(2).removal.commitment == 2
    assert len(desk.gallery) == 0
    assert desk.members() == []
    assert desk.enroll("1", 4).status is ACCEPTED


def test_the_old_wallet_is_never_taken_again(desk):
    desk.enroll("1", 1, key="k")
    desk.recover("1", 2)
    for photograph in ("1", "5"):
        with pytest.raises(CommitmentAlreadyEnrolled):
            desk.enroll(photograph, 1, key=f"other {photograph}")
    with pytest.raises(IdempotencyKeyReused):  # its key has a verdict that names the person
        desk.enroll("1", 6, key="k")
    with pytest.raises(CommitmentAlreadyEnrolled):
        desk.recover("1", 1)
    assert desk.members() == [2]


def test_who_is_not_enrolled_is_not_enrolled_by_it(desk):
    desk.enroll("1", 1)
    assert desk.recover("2", 2, BOTH).status is NOT_FOUND
    assert len(desk.gallery) == 1
    assert desk.enroll("2", 2).status is ACCEPTED


def test_once_in_so_many_days(desk_engine):
    with open_desk(desk_engine, days=90) as desk:
        desk.enroll("1", 1)
        desk.recover("1", 2)
        with pytest.raises(RecoveryTooSoon, match="90 days"):
            desk.recover("1", 3)
        assert desk.members() == [2]
        assert desk.store.holder(3) is None  # the wallet is free
        assert desk.enroll("5", 3).status is ACCEPTED


@pytest.mark.parametrize(("days_later", "works"), [(89.9, False), (90.1, True)])
def test_the_days_are_counted_from_the_last_one(desk, days_later, works):
    desk.enroll("1", 1)
    desk.recover("1", 2)
    pending = desk.store.reserve(request_of("1", 3, kind=EnrollmentKind.RECOVERY))
    later = Recoveries(desk.store, 90, clock=lambda: time.time() + days_later * 86_400)
    if works:
        assert later.replace(pending, 1).status is ACCEPTED
        assert desk.members() == [3]
    else:
        with pytest.raises(RecoveryTooSoon):
            later.replace(pending, 1)
        assert desk.members() == [2]


def test_pictures_follow_the_new_consent(desk):
    desk.enroll("1", 1, ENROLLED)
    recovered = desk.recover("1", 2)
    assert desk.images(recovered) == ()
    desk.enroll("3", 3)
    assert desk.images(desk.recover("3", 4, ENROLLED)) == (b"picture of 3",)


def test_several_at_the_same_moment_are_one(desk):
    desk.enroll("1", 1)

    def come(wallet):
        try:
            return desk.recover("1", wallet).status
        except RecoveryTooSoon:
            return "too soon"

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(come, range(2, 6)))
    assert sorted(map(str, told)) == ["accepted", *["too soon"] * 3]
    assert len(desk.members()) == 1
    assert len(desk.gallery) == 1


def test_while_the_person_is_being_deleted_there_is_nobody_to_find(desk, monkeypatch):
    desk.enroll("1", 1)
    with monkeypatch.context() as broken:
        broken.setattr(desk.gallery, "remove", _fail)
        with pytest.raises(GalleryUnavailable):
            desk.service.deletion.delete(1)
    assert desk.recover("1", 2).status is NOT_FOUND
    assert desk.members() == []


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.SAME, ACCEPTED), (Verdict.DIFFERENT, NOT_FOUND), (Verdict.CANNOT_TELL, AGAIN)],
)
def test_a_likeness_is_for_people_to_decide(desk, verdict, status):
    desk.enroll("1", 1, ENROLLED)
    case = desk.recover("2 like 1", 2, REVIEW)
    assert case.status is ADJUDICATION
    for name in ("Ada", "Ben"):
        assert desk.service.adjudication.open(case.id, name).kind is EnrollmentKind.RECOVERY
        desk.service.adjudication.vote(case.id, name, verdict)
    assert desk.service.find(case.id).status is status
    assert desk.members() == ([2] if verdict is Verdict.SAME else [1])
    assert len(desk.gallery) == 1


def test_without_pictures_a_likeness_is_to_be_tried_again(desk):
    desk.enroll("1", 1)
    assert desk.recover("2 like 1", 2, BOTH).status is AGAIN
    assert desk.members() == [1]


def test_a_review_does_not_get_round_the_days(desk):
    desk.enroll("1", 1, ENROLLED)
    case = desk.recover("2 like 1", 2, REVIEW)
    desk.recover("1", 3)
    with pytest.raises(ReviewCaseUnknown, match="nothing to compare"):
        desk.service.adjudication.open(case.id, "Ada")
    assert desk.service.find(case.id).status is AGAIN
    assert desk.members() == [3]


def test_one_that_broke_off_is_as_if_it_never_came(desk_engine, monkeypatch):
    with open_desk(desk_engine) as desk:
        desk.enroll("1", 1)
        with monkeypatch.context() as broken:
            broken.setattr(desk.gallery, "identify", _fail)
            with pytest.raises(GalleryUnavailable):
                desk.recover("1", 2)
    with open_desk(desk_engine) as desk:
        assert desk.members() == [1]
        assert desk.recover("1", 2).status is ACCEPTED
        assert desk.members() == [2]


def _fail(*_, **__):
    raise GalleryUnavailable("the database went away")
