import pytest
from sqlalchemy import create_engine, text

from enrollment.errors import (
    CommitmentAlreadyEnrolled,
    EnrollmentStoreUnavailable,
    IdempotencyKeyReused,
)
from enrollment.rows import EnrollmentRequest, EnrollmentStatus
from enrollment.store import EnrollmentStore
from transparency.entry import Entry, Kind
from transparency.errors import TransparencyError
from transparency.journal import Journal
from transparency.merkle import leaf_hash
from transparency.store import DecisionLog
from uniqueness.sealing import Keyring

KEYRING = Keyring(b"k" * 32)
PENDING, ACCEPTED = EnrollmentStatus.PENDING, EnrollmentStatus.ACCEPTED
DUPLICATE, REVIEW = EnrollmentStatus.DUPLICATE, EnrollmentStatus.REVIEW


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/enrollments.db")
    yield engine
    engine.dispose()


@pytest.fixture
def log(engine):
    return DecisionLog(engine)


@pytest.fixture
def journal(log):
    return Journal(log, b"l" * 32, model="m 1", calibration="c 1")


@pytest.fixture
def store(engine, journal):
    return EnrollmentStore(engine, KEYRING, journal)


def request(number: int, key: str | None = None) -> EnrollmentRequest:
    return EnrollmentRequest(key or f"key-{number}", f"{number:064x}", number, "kiosk id")


def test_a_reservation_is_pending_until_it_is_settled(store):
    enrollment = store.reserve(request(1))
    assert enrollment.status is PENDING
    assert store.pending() == (enrollment,)
    assert store.accepted_commitments() == []
    assert store.settle(enrollment, ACCEPTED).status is ACCEPTED
    assert store.pending() == ()
    assert store.answered(request(1)).status is ACCEPTED


def test_publication_is_in_the_order_of_acceptance(store):
    reserved = [store.reserve(request(number)) for number in range(1, 6)]
    for number in (3, 1, 4):
        store.settle(reserved[number - 1], ACCEPTED)
    store.settle(reserved[1], DUPLICATE)
    store.settle(reserved[4], ACCEPTED)
    assert store.accepted_commitments() == [3, 1, 4, 5]
    assert [addition.commitment for addition in store.history.additions()[2:]] == [4, 5]


def test_settling_again_changes_nothing(store):
    enrollment = store.reserve(request(1))
    store.settle(enrollment, ACCEPTED)
    assert store.settle(enrollment, DUPLICATE).status is ACCEPTED
    assert store.settle(enrollment, ACCEPTED).status is ACCEPTED
    store.discard(enrollment)
    assert store.accepted_commitments() == [1]


@pytest.mark.parametrize("status", [DUPLICATE, REVIEW])
def test_a_refusal_keeps_its_answer_and_frees_the_commitment(store, status):
    store.settle(store.reserve(request(1)), status)
    assert store.holder(1) is None
    assert store.answered(request(1)).status is status
    assert store.reserve(EnrollmentRequest("other", "0" * 64, 1)).status is PENDING


@pytest.mark.parametrize("status", [PENDING, ACCEPTED])
def test_a_commitment_is_held_once(store, status):
    enrollment = store.reserve(request(1))
    if status is ACCEPTED:
        store.settle(enrollment, status)
    assert store.holder(1).id == enrollment.id
    with pytest.raises(CommitmentAlreadyEnrolled):
        store.reserve(request(1, key="other"))


def test_the_same_request_gets_its_own_reservation_again(store):
    assert store.reserve(request(1)) == store.reserve(request(1))


def test_a_key_with_another_body_is_refused(store):
    store.reserve(request(1, key="k"))
    for call in (store.answered, store.reserve):
        with pytest.raises(IdempotencyKeyReused):
            call(request(2, key="k"))


def test_a_discarded_reservation_leaves_nothing(store):
    store.discard(store.reserve(request(1)))
    assert store.answered(request(1)) is None
    assert store.holder(1) is None


def test_the_largest_commitment_survives(store):
    store.settle(store.reserve(EnrollmentRequest("k", "0" * 64, 2**256 - 1)), ACCEPTED)
    assert store.accepted_commitments() == [2**256 - 1]


def test_a_broken_database_is_a_coded_error(store, engine):
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE enrollments"))
    with pytest.raises(EnrollmentStoreUnavailable):
        store.reserve(request(1))


def test_a_row_does_not_print_its_key(store):
    assert "key-1" not in repr(store.reserve(request(1)))


def test_every_decision_is_logged_once(store, log, journal):
    for number, status in enumerate((ACCEPTED, DUPLICATE, REVIEW), start=1):
        settled = store.settle(store.reserve(request(number)), status)
        assert settled == store.settle(settled, status)
        assert log.size() == settled.logged.index + 1 == number
    store.record_rejection("face_blurred", "kiosk id")
    entries = log.entries(0, 10)
    assert [entry.kind for entry in entries] == ["unique", "duplicate", "review", "rejected"]
    assert {entry.kiosk for entry in entries} == {journal.pseudonym("kiosk id")}
    assert "kiosk id" not in journal.pseudonym("kiosk id")
    assert entries[3].reason == "face_blurred"
    assert [entry.commitment is None for entry in entries] == [False, True, True, True]


def test_an_acceptance_discloses_its_commitment(store, log):
    logged = store.settle(store.reserve(request(7)), ACCEPTED).logged
    ((index, opening),) = ((d.index, d.opening) for d in log.openings(0, 10))
    (leaf,) = log.leaves(index, index + 1)
    assert (index, opening.commitment) == (logged.index, 7)
    assert opening.digest == Entry.from_bytes(leaf).commitment
    assert logged.leaf_hash == leaf_hash(leaf)


def test_what_cannot_be_logged_is_not_decided(engine, log):
    store = EnrollmentStore(engine, KEYRING, Journal(log, b"l" * 32, model="m\n"))
    enrollment = store.reserve(request(1))
    with pytest.raises(TransparencyError):
        store.settle(enrollment, ACCEPTED)
    assert (store.pending(), log.size()) == ((enrollment,), 0)


def test_acceptances_from_before_the_log_are_logged_in_their_order(store, engine, log):
    for number in (1, 2, 3):
        store.settle(store.reserve(request(number)), ACCEPTED if number != 2 else REVIEW)
    with engine.begin() as connection:  # as the version before the log left it
        connection.execute(text("UPDATE enrollments SET log_index = NULL, log_leaf = NULL"))
    for _ in range(2):
        store.log_earlier_acceptances()
    later = log.entries(3, 10)
    assert [(entry.kind, entry.reason) for entry in later] == [(Kind.UNIQUE, "before_log")] * 2
    assert [d.opening.commitment for d in log.openings(3, 10)] == [1, 3]
