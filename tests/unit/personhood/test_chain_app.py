"""What the publisher reads of enrolment: order, removals, and since when each change waits."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from enrollment.database import Database
from enrollment.membership import SECONDS_PER_HOUR, Change, MembershipHistory, record_change
from personhood import chain_app
from personhood.chain_app import Enrolments
from transparency.journal import Recorded
from uniqueness.database import prepare

HOUR = 500_000


def test_changes_wait_since_they_were_seen_or_since_their_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = prepare(create_engine(f"sqlite:///{tmp_path}/a.db"))
    history, database = MembershipHistory(engine), Database(engine)
    clock = [HOUR * SECONDS_PER_HOUR + 100]
    monkeypatch.setattr("enrollment.membership.time.time", lambda: clock[0])
    monkeypatch.setattr(chain_app, "now", lambda: clock[0])
    with database.write() as connection:
        for number, change in ((7, Change.ADDED), (8, Change.ADDED), (7, Change.DELETED)):
            record_change(connection, number, change, Recorded(number, bytes(32)))
    source = Enrolments(history)
    assert [(one.commitment, one.at) for one in source.accepted(1)] == [(8, clock[0])]
    assert [one.commitment for one in source.removals()] == [7]
    first = clock[0]
    clock[0] += 50
    assert [one.at for one in source.accepted(0)] == [clock[0], first]
    clock[0] += 2 * SECONDS_PER_HOUR
    restarted = Enrolments(history)
    over = (HOUR + 1) * SECONDS_PER_HOUR
    assert [one.at for one in restarted.accepted(0)] == [over, over]
    engine.dispose()
