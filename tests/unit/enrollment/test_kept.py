"""What is kept of a capture: nothing without consent, and then sealed, and not for longer."""

import pytest
from sqlalchemy import func, select, update

from enrollment.kept import KEPT, Consent, KeptRow
from enrollment.persons import PERSONS
from enrollment.rows import EnrollmentStatus
from tests.desk import BOTH, ENROLLED, KEYRING, REVIEW, open_desk, request_of
from uniqueness.errors import RecordCorrupted
from uniqueness.rotation import GALLERY_TABLES, key_use, reseal
from uniqueness.sealing import Keyring

ACCEPTED, DUPLICATE = EnrollmentStatus.ACCEPTED, EnrollmentStatus.DUPLICATE


def records(desk) -> int:
    with desk.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(KeptRow))


@pytest.mark.parametrize("consents", [frozenset[Consent](), REVIEW])
def test_who_is_accepted_without_consent_leaves_no_picture(desk, consents):
    assert desk.enroll("1", 1, consents).status is ACCEPTED
    assert records(desk) == 0


@pytest.mark.parametrize("consents", [ENROLLED, BOTH])
def test_who_agreed_is_kept_while_enrolled_and_nothing_but_the_pictures(desk, consents):
    accepted = desk.enroll("1", 1, consents)
    assert desk.images(accepted) == (b"picture of 1",)
    assert records(desk) == 1


def test_a_duplicate_leaves_no_picture(desk):
    desk.enroll("1", 1)
    assert desk.enroll("1", 2, BOTH).status is DUPLICATE
    assert records(desk) == 0


@pytest.mark.parametrize("consents", [frozenset[Consent](), ENROLLED, BOTH])
def test_a_review_that_nobody_can_decide_leaves_no_picture(desk, consents):
    """The other one let no picture be kept."""
    desk.enroll("1", 1)
    assert desk.enroll("2 like 1", 2, consents).status is EnrollmentStatus.REVIEW
    assert records(desk) == 0


def test_a_picture_is_not_in_the_database_as_it_is(desk, tmp_path):
    desk.enroll("1", 1, ENROLLED)
    with desk.engine.connect() as connection:
        (row,) = connection.execute(select(KeptRow.__table__)).all()
    assert b"picture" not in row.ciphertext
    for file in tmp_path.iterdir():  # and so not in any file of SQLite either
        assert b"picture of" not in file.read_bytes()


def test_a_picture_opens_for_its_own_enrolment_only(desk):
    first, second = desk.enroll("1", 1, ENROLLED), desk.enroll("2", 2, ENROLLED)
    with desk.engine.begin() as connection:
        mine = KeptRow.enrollment_id == first.id
        connection.execute(update(KeptRow).where(mine).values(enrollment_id="moved"))
        theirs = KeptRow.enrollment_id == second.id
        connection.execute(update(KeptRow).where(theirs).values(enrollment_id=first.id))
    with pytest.raises(RecordCorrupted):
        desk.images(first)


def test_a_request_that_fails_leaves_no_picture_at_the_next_start(desk_engine, monkeypatch):
    with open_desk(desk_engine) as desk:
        with monkeypatch.context() as broken:
            broken.setattr(desk.gallery, "identify_and_enroll", _fail)
            with pytest.raises(OSError, match="gone"):
                desk.enroll("1", 1, BOTH)
        assert records(desk) == 2
    with open_desk(desk_engine) as desk:
        assert records(desk) == 0
        assert desk.store.answered(request_of("1", 1, BOTH)) is None


def test_a_rotation_reaches_pictures_and_links(desk_engine):
    both, new = Keyring(b"n" * 32, [b"k" * 32]), Keyring(b"n" * 32)
    tables = (*GALLERY_TABLES, PERSONS, KEPT)
    with open_desk(desk_engine) as desk:
        accepted = desk.enroll("1", 1, ENROLLED)
        desk.enroll("2 like 1", 2, BOTH)
    use = key_use(desk_engine, tables)
    assert use.by_table["kept_records"] == {KEYRING.key_id: 1 + 3}  # pictures, template, candidates
    assert use.by_table["enrolled_persons"] == {KEYRING.key_id: 1}
    assert reseal(desk_engine, both, tables=tables) == use.records(KEYRING.key_id)
    assert key_use(desk_engine, tables).key_ids == {new.key_id}
    with open_desk(desk_engine, keyring=new) as desk:  # the old key is destroyed
        assert desk.images(accepted) == (b"picture of 1",)
        with desk.store.database.write() as connection:
            assert desk.store.persons.person_of(connection, accepted.id) == 1
            holding = desk.store.persons.holding_of(connection, 1)
        assert holding.enrollment_id == accepted.id
        assert len(desk.service.adjudication.queue()) == 1


def test_between_two_keys_a_person_is_found_by_either(desk_engine):
    with open_desk(desk_engine) as desk:
        accepted = desk.enroll("1", 1)
    with open_desk(desk_engine, keyring=Keyring(b"n" * 32, [b"k" * 32])) as desk:
        newer = desk.enroll("2", 2)
        with desk.store.database.write() as connection:
            held = [desk.store.persons.holding_of(connection, p).enrollment_id for p in (1, 2)]
    assert held == [accepted.id, newer.id]


def _fail(*_, **__):
    raise OSError("gone")
