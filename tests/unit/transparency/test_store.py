"""The log in both databases: order, proofs at any size, and what two writers at once do."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text

from tests.postgres import empty_schema
from transparency.entry import Entry, Kind, Opening
from transparency.errors import EntryInvalid, LogRangeInvalid, LogUnavailable
from transparency.journal import Journal
from transparency.merkle import EMPTY_ROOT, MemoryTree, leaf_hash, verify_inclusion
from transparency.store import DecisionLog
from uniqueness.database import prepare

KEY = b"l" * 32


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = prepare(create_engine(f"sqlite:///{tmp_path}/log.db"))
        yield engine
        engine.dispose()
        return
    with empty_schema(request.getfixturevalue("postgres_url")) as url:
        engine = prepare(create_engine(url))
        yield engine
        engine.dispose()


def entry(number: int) -> Entry:
    return Entry(Kind.REJECTED, f"reason {number}", 3600, "", "m", "c")


def test_an_empty_log(engine: Engine) -> None:
    log = DecisionLog(engine)
    head = log.checkpoint("log")
    assert (log.size(), head.size, head.root, log.leaves(0, 5)) == (0, 0, EMPTY_ROOT, [])
    assert log.consistency(0, 0) == []


def test_proofs_at_every_size(engine: Engine) -> None:
    log = DecisionLog(engine)
    for start in (0, 1, 4, 11):
        more = [entry(number) for number in range(start, {0: 1, 1: 4, 4: 11, 11: 20}[start])]
        assert log.append_alone(more) == list(range(start, start + len(more)))
    tree = MemoryTree(leaf_hash(leaf) for leaf in log.leaves(0, 20))
    for size in range(21):
        assert log.root(size) == tree.root(size)
        for smaller in range(size):
            assert log.consistency(smaller, size) == tree.consistency(smaller, size)
            proof = log.inclusion(smaller, size)
            verify_inclusion(
                leaf_hash(entry(smaller).to_bytes()), smaller, size, proof, tree.root(size)
            )
    assert log.checkpoint("log").root == tree.root(20)
    assert log.entries(3, 5) == [entry(3), entry(4)]
    for ask in (
        lambda: log.root(21),
        lambda: log.inclusion(20, 20),
        lambda: log.consistency(3, 21),
    ):
        with pytest.raises(LogRangeInvalid):
            ask()


def test_what_is_rolled_back_was_never_there(engine: Engine) -> None:
    log = DecisionLog(engine)
    log.append_alone([entry(0)])

    def fail() -> None:
        with engine.execution_options(writes=True).begin() as connection:
            assert log.append(connection, [entry(1), entry(2)]) == [1, 2]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert log.append_alone([entry(3)]) == [1]
    assert log.checkpoint("log").root == MemoryTree(map(leaf_hash, log.leaves(0, 9))).root(2)


def test_writers_at_once_leave_no_gap(engine: Engine) -> None:
    log = DecisionLog(engine)
    places: list[int] = []

    def write(number: int) -> None:
        for turn in range(10):
            places.extend(log.append_alone([entry(100 * number + turn)] * 2))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places) == list(range(80))
    assert log.root(80) == MemoryTree(map(leaf_hash, log.leaves(0, 99))).root(80)


def test_openings_belong_to_entries(engine: Engine) -> None:
    log = DecisionLog(engine)
    one, other = Opening.draw(5), Opening.draw(6)
    accepted = Entry(Kind.UNIQUE, None, 3600, "", "m", "c", one.digest)
    with engine.execution_options(writes=True).begin() as connection:
        assert log.append(connection, [entry(0), accepted], [one]) == [0, 1]
        with pytest.raises(EntryInvalid):
            log.append(connection, [accepted], [other])
    ((index, opening),) = ((d.index, d.opening) for d in log.openings(0, 9))
    assert (index, opening) == (1, one)
    assert log.openings(2, 9) == []


def test_a_journal_announces_what_changed(engine: Engine) -> None:
    log = DecisionLog(engine)
    for model, calibration in (("a", "1"), ("a", "1"), ("a", "2"), ("b", "2")):
        Journal(log, KEY, model=model, calibration=calibration).announce()
    entries = [(entry.kind, entry.model, entry.calibration) for entry in log.entries(0, 9)]
    assert entries == [
        (Kind.MODEL, "a", "1"),
        (Kind.THRESHOLDS, "a", "1"),
        (Kind.THRESHOLDS, "a", "2"),
        (Kind.MODEL, "b", "2"),
    ]


def test_a_pseudonym_is_one_logs_own(engine: Engine) -> None:
    log = DecisionLog(engine)
    one, other = Journal(log, KEY), Journal(log, b"o" * 32)
    assert one.pseudonym("k") == one.pseudonym("k") != one.pseudonym("l")
    assert one.pseudonym("k") != other.pseudonym("k")
    assert one.verifier.name != other.verifier.name


def test_an_append_reads_one_row_and_a_proof_few(tmp_path: Path) -> None:
    engine = prepare(create_engine(f"sqlite:///{tmp_path}/log.db"))
    log = DecisionLog(engine)
    log.append_alone([entry(number) for number in range(5000)])
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    log.append_alone([entry(5000)])
    kinds = [statement.split()[0] for statement in statements]
    assert [kind for kind in kinds if kind != "BEGIN"] == ["SELECT", "INSERT", "UPDATE"]
    assert len(log.inclusion(1234, 5001)) <= 13
    assert len(log.consistency(3001, 5001)) <= 14
    engine.dispose()


def test_a_broken_database_is_a_coded_error(tmp_path: Path) -> None:
    engine = prepare(create_engine(f"sqlite:///{tmp_path}/log.db"))
    log = DecisionLog(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE decision_log_leaves"))
    with pytest.raises(LogUnavailable):
        log.append_alone([entry(0)])
    engine.dispose()
