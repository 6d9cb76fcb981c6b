"""What of an enrolment waits for the disk, as SQLite itself is told."""

from collections import defaultdict

import pytest
from sqlalchemy import create_engine, event

from enrollment.rows import EnrollmentStatus
from tests.desk import open_desk, vector_of
from tests.unit.uniqueness.synthetic import probe

ACCEPTED, REVIEW = EnrollmentStatus.ACCEPTED, EnrollmentStatus.REVIEW
DUPLICATE = EnrollmentStatus.DUPLICATE


@pytest.fixture
def commits(tmp_path):
    """The engine of a database, and its commits: whether each waits, and what it wrote."""
    engine, seen = create_engine(f"sqlite:///{tmp_path}/personhood.db"), []
    waits, written = defaultdict(bool), defaultdict(set)

    def follow(connection, _):
        def see(statement):
            verb, *rest = statement.replace("=", " ").split()
            if statement.startswith("PRAGMA synchronous"):
                waits[connection] = rest[-1] == "FULL"
            elif verb in ("INSERT", "UPDATE"):
                written[connection].add(rest[1] if verb == "INSERT" else rest[0])
            elif verb in ("COMMIT", "ROLLBACK"):
                tables = written.pop(connection, None)
                if verb == "COMMIT" and tables:
                    seen.append((waits[connection], tables))

        connection.set_trace_callback(see)

    event.listen(engine, "connect", follow)
    yield engine, seen
    engine.dispose()


@pytest.mark.parametrize(
    ("photograph", "status"), [("2", ACCEPTED), ("1", DUPLICATE), ("2 like 1", REVIEW)]
)
def test_an_answer_is_told_when_its_decision_is_on_the_disk(commits, photograph, status):
    """The log of SQLite is one file: what waits takes along all that was committed before."""
    engine, seen = commits
    with open_desk(engine) as desk:
        desk.enroll("1", 1)
        seen.clear()
        assert desk.enroll(photograph, 2).status is status
        (waited, reserved), (decision_waited, decided), (settlement_waited, settled) = seen
    assert (waited, decision_waited, settlement_waited) == (True, False, True)
    assert reserved == {"enrollments"}
    assert "verdicts" in decided
    assert "enrollments" in settled


def test_a_decision_that_nobody_commits_for_waits_itself(commits):
    engine, seen = commits
    with open_desk(engine) as desk:
        desk.gallery.identify_and_enroll(probe(vector_of(b"1")), "1")
    [(waited, tables)] = seen[-1:]
    assert waited
    assert "templates" in tables
