"""The connection that decisions are written on."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError

from uniqueness.database import Writing, hasty_writer, turn, writer
from uniqueness.prepared import Prepared

ADD = text("INSERT INTO places VALUES (:place, :within)")
ADD_BY_DRIVER = Prepared(ADD)
PLACES = text("SELECT place FROM places ORDER BY place")


@pytest.fixture
def writing(engine: Engine) -> Writing:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys = ON"))
    with writer(engine).begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE places (place INTEGER PRIMARY KEY, "
                "within INTEGER REFERENCES places DEFERRABLE INITIALLY DEFERRED)"
            )
        )
    return Writing(engine)


def places(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        return list(connection.scalars(PLACES))


def test_statements_of_driver_and_of_sqlalchemy_are_committed_together(engine, writing):
    for first in (1, 11):  # the connection serves one transaction after another
        before = places(engine)
        writing.begin()
        writing.run(ADD_BY_DRIVER, [{"place": first, "within": None}])
        writing.connection.execute(ADD, {"place": first + 1, "within": first})
        writing.run(ADD_BY_DRIVER, [{"place": first + 2, "within": first}])
        assert places(engine) == before
        writing.commit()
        assert places(engine) == [*before, first, first + 1, first + 2]


@pytest.mark.parametrize("by_sqlalchemy", [False, True])
def test_what_was_not_committed_is_forgotten_with_the_connection(engine, writing, by_sqlalchemy):
    writing.begin()
    writing.run(ADD_BY_DRIVER, [{"place": 1, "within": None}])
    if by_sqlalchemy:
        writing.connection.execute(ADD, {"place": 2, "within": None})
    writing.close()
    again = Writing(engine)
    again.begin()  # so the lock is free
    assert again.rows(Prepared(PLACES)) == []


@pytest.mark.parametrize("by_sqlalchemy", [False, True])
def test_a_commit_that_the_database_refuses_is_its_fault(engine, writing, by_sqlalchemy):
    writing.begin()
    if by_sqlalchemy:
        writing.connection.execute(PLACES)
    writing.run(ADD_BY_DRIVER, [{"place": 1, "within": 7}])
    with pytest.raises(IntegrityError) as caught:
        writing.commit()
    assert caught.value.hide_parameters
    writing.close()
    assert places(engine) == []


def test_a_statement_that_the_database_refuses_is_its_fault(writing):
    writing.begin()
    again = {"place": 1, "within": None}
    with pytest.raises(IntegrityError):
        writing.run(ADD_BY_DRIVER, [again, again])


def test_writers_of_one_sqlite_database_take_turns(tmp_path: Path):
    engine, other = (create_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two"))
    order = []

    def write():
        with turn(writer(engine)):
            order.append("second")

    second = threading.Thread(target=write)
    with turn(engine):
        second.start()
        with turn(other):
            second.join(timeout=0.1)
        order.append("first")
    second.join()
    assert order == ["first", "second"]


def test_only_a_hasty_commit_does_not_wait_for_the_disk(engine):
    on_sqlite = engine.dialect.name == "sqlite"
    ask = text("PRAGMA synchronous" if on_sqlite else "SHOW synchronous_commit")
    waits, hastens = (2, 1) if on_sqlite else ("on", "off")
    for made, expected in (
        (writer(engine), waits),
        (hasty_writer(engine), hastens),
        (hasty_writer(engine), hastens),
        (writer(engine), waits),
    ):
        with made.begin() as connection:  # the pool's one connection
            assert connection.scalar(ask) == expected
    kept = Writing(engine)
    for hasty, expected in ((False, waits), (True, hastens), (True, hastens), (False, waits)):
        kept.begin(hasty=hasty)
        # A PostgreSQL server can lose a commit whose readers go on.
        assert kept.connection.scalar(ask) == (expected if on_sqlite else waits)
        kept.commit()
    kept.close()
