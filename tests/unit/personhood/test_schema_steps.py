"""What each step does with what is in the database: nothing that was sealed is lost."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, MetaData, Table, insert, inspect, select, update

from enrollment.store import EnrollmentStore
from personhood import schema
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.decision import Decision, Thresholds
from uniqueness.errors import RecordCorrupted, WrongKey
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.sealing import Keyring, SealedRecord
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray, Probe, Template

MODEL = "model-1"
OLD_KEY = b"o" * 32
KEYRING = Keyring(b"k" * 32, [OLD_KEY])
DIMENSION = 16


@pytest.fixture
def people() -> FloatArray:
    vectors = np.random.default_rng(1).standard_normal((10, DIMENSION), np.float32)
    normed: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normed


def table(engine: Engine, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=engine)


def old_row(number: int, vector: FloatArray) -> dict[str, object]:
    """A template as the first version wrote it."""
    template_id, person_id = f"{number:032x}", f"{1000 - number:032x}"
    context = f"personhood template\0{template_id}\0{MODEL}".encode()
    record = Keyring(OLD_KEY).seal(vector.astype("<f4").tobytes(), context=context)
    return {
        "sequence": 3 * number + 1,  # gaps, as a failed transaction leaves them
        "template_id": template_id,
        "person_id": person_id,
        "model": MODEL,
        "key_id": record.key_id,
        "nonce": record.nonce,
        "ciphertext": record.ciphertext,
    }


@pytest.fixture
def old_database(engine: Engine, people: FloatArray) -> Engine:
    """A database of the first version, which recorded no version, with ten people in it."""
    schema.upgrade(engine, KEYRING, "0001")
    verdicts = [
        {"request_id": f"r{number}", "decision": "unique", "hour": 1}
        for number in range(len(people))
    ]
    with engine.begin() as connection:
        rows = [old_row(number, vector) for number, vector in enumerate(people)]
        connection.execute(insert(table(engine, "templates")), rows)
        connection.execute(insert(table(engine, "verdicts")), verdicts)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    return engine


def open_gallery(engine: Engine) -> Gallery:
    store = GalleryStore(engine, Keyring(b"k" * 32))
    return Gallery.open(store, {MODEL: FaissFlatIndex(DIMENSION)}, Thresholds(0.8, 0.9))


def probe(vector: FloatArray) -> Probe:
    return Probe((Template(vector, MODEL),))


def test_everybody_is_found_after_the_upgrade(old_database: Engine, people: FloatArray) -> None:
    schema.upgrade(old_database, KEYRING)
    with open_gallery(old_database) as gallery:
        found = [gallery.identify(probe(vector)) for vector in people]
        stranger = gallery.identify_and_enroll(probe(-people[0]), "new")
        earlier = gallery.verdict("r0")
    assert {one.decision for one in found} == {Decision.DUPLICATE}
    assert [one.person for one in found] == list(range(1, 11))
    assert (stranger.decision, stranger.person) == (Decision.UNIQUE, 11)
    assert earlier is not None
    assert (earlier.decision, earlier.person) == (Decision.UNIQUE, None)


def test_numbers_go_on_after_the_last(old_database: Engine) -> None:
    schema.upgrade(old_database, KEYRING)
    assert GalleryStore(old_database, KEYRING).head()._asdict() == {
        "last_sequence": 28,
        "last_person": 10,
        "people": 10,
    }


def test_there_and_back_every_template_opens_as_the_first_version_bound_it(
    old_database: Engine, people: FloatArray
) -> None:
    schema.upgrade(old_database, KEYRING)
    with open_gallery(old_database) as gallery:
        gallery.remove(3)
    schema.downgrade(old_database, KEYRING, "0001")
    templates = table(old_database, "templates")
    with old_database.connect() as connection:
        rows = connection.execute(select(templates).order_by(templates.c.sequence)).all()
    vectors = [
        KEYRING.open(
            SealedRecord(row.key_id, row.nonce, row.ciphertext),
            context=f"personhood template\0{row.template_id}\0{MODEL}".encode(),
        )
        for row in rows
    ]
    kept = np.delete(people, 2, axis=0)
    assert b"".join(vectors) == kept.tobytes()
    assert len({row.person_id for row in rows}) == len(rows)
    with old_database.begin() as connection:  # a number is not given again
        new = {name: value for name, value in old_row(50, people[0]).items() if name != "sequence"}
        key = connection.execute(insert(templates).values(new)).inserted_primary_key
    assert key is not None
    assert key[0] == 30


@pytest.mark.parametrize("damage", ["key", "ciphertext"])
def test_what_cannot_be_opened_stops_the_upgrade_and_nothing_is_changed(
    old_database: Engine, damage: str
) -> None:
    templates = table(old_database, "templates")
    if damage == "ciphertext":
        with old_database.begin() as connection:
            last = update(templates).where(templates.c.sequence == 28)
            connection.execute(last.values(ciphertext=b"x" * 80))
    keyring, error = (
        (Keyring(b"k" * 32), WrongKey) if damage == "key" else (KEYRING, RecordCorrupted)
    )
    with pytest.raises(error):
        schema.upgrade(old_database, keyring)
    with old_database.connect() as connection:
        assert schema.current_revision(connection) == "0001"
        assert len(connection.execute(select(templates)).all()) == 10
    assert "gallery_head" not in inspect(old_database).get_table_names()


def test_a_copy_of_a_sqlite_database_is_kept(old_database: Engine, tmp_path: Path) -> None:
    copy = schema.upgrade(old_database, KEYRING)
    if old_database.dialect.name != "sqlite":
        assert copy is None
        return
    assert copy == tmp_path / "personhood.db.0001.backup"
    assert copy.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(template_id) FROM templates").fetchone() == (10,)
    connection.close()
    assert not list(tmp_path.glob("*.draft*"))


def test_what_was_accepted_becomes_members_and_is_linked(engine: Engine) -> None:
    """A database of the version before, whose verdicts name people."""
    schema.upgrade(engine, KEYRING, "0007")
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    with engine.begin() as connection:
        for number, person in ((1, 7), (2, None)):
            decision = "unique"
            context = f"verdict\0{decision}\0key {number}".encode()
            record = Keyring(OLD_KEY).seal((person or 0).to_bytes(8, "big"), context=context)
            sealed = (record.key_id, record.nonce, record.ciphertext) if person else (None,) * 3
            names = ("key_id", "nonce", "ciphertext")
            verdict = {"request_id": f"key {number}", "decision": decision, "hour": 1}
            row = verdict | dict(zip(names, sealed, strict=True))
            connection.execute(insert(table(engine, "verdicts")), row)
            enrollment = {
                "id": f"e{number}",
                "idempotency_key": f"key {number}",
                "body_digest": "",
                "commitment": f"{number:064x}",
                "status": "accepted",
                "sequence": 3 - number,
                "created_at": moment,
            }
            connection.execute(insert(table(engine, "enrollments")), enrollment)
    schema.upgrade(engine, KEYRING)
    store = EnrollmentStore(engine, KEYRING, Journal(DecisionLog(engine), b"l" * 32))
    changes = [(c.sequence, c.commitment, c.hour) for c in store.history.changes()]
    hour = int(moment.timestamp()) // 3600
    assert changes == [(1, 2, hour), (2, 1, hour)]
    with store.database.write() as connection:
        assert store.persons.person_of(connection, "e1") == 7
        assert store.persons.person_of(connection, "e2") is None
        holding = store.persons.holding_of(connection, 7)
    assert holding is not None
    assert holding.enrollment_id == "e1"
    first = store.get("e1")
    assert first is not None
    assert (first.commitment, first.created_at, first.consents) == (1, moment, frozenset())
    schema.downgrade(engine, KEYRING, "0007")
    enrollments = table(engine, "enrollments")
    with engine.connect() as connection:
        back = connection.execute(select(enrollments.c.id, enrollments.c.sequence)).all()
    assert sorted(back) == [("e1", 2), ("e2", 1)]


def test_scores_counted_before_there_were_blocks_stay_counted(engine: Engine) -> None:
    schema.upgrade(engine, KEYRING, "0006")
    row = {"outcome": "unique", "model": MODEL, "bin": 12, "count": 7}
    with engine.begin() as connection:
        connection.execute(insert(table(engine, "score_histogram")), [row])
    schema.upgrade(engine, KEYRING)
    counts = table(engine, "score_histogram")
    with engine.begin() as connection:
        assert connection.execute(select(counts.c.block, counts.c.count)).all() == [(-1, 7)]
        connection.execute(insert(counts), [row | {"block": 0, "count": 5}])
    for _ in range(2):  # names of what one way made do not stand in the other's way
        schema.downgrade(engine, KEYRING, "0006")
        with engine.connect() as connection:
            counts = table(engine, "score_histogram")
            assert connection.execute(select(counts.c.bin, counts.c.count)).all() == [(12, 12)]
        schema.upgrade(engine, KEYRING)
