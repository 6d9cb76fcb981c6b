"""Reviews that people decide: who looked at what and said what, and what follows from it.

The rule: two adjudicators who agree decide. Where they do not, a third one is asked; where all
three differ, nobody can tell. Each votes once, and only after having looked.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import BigInteger, Connection, Integer, String, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base
from enrollment.errors import AdjudicatorMayNotVote, ReviewCaseUnknown

MAX_VOTES = 3
_AGREEING = 2


class Verdict(StrEnum):
    """What an adjudicator sees in a pair."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


class CaseOutcome(StrEnum):
    """How a review ended."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"
    WITHDRAWN = "withdrawn"  # by the person


class CaseRow(Base):
    """A review, by the id of its enrolment; stays when it is over, with nothing of the person."""

    __tablename__ = "review_cases"

    enrollment_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    opened_at: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(20))


class VoteRow(Base):
    """One adjudicator's verdict."""

    __tablename__ = "review_votes"

    enrollment_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    adjudicator: Mapped[str] = mapped_column(String(60), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(20))
    at: Mapped[int] = mapped_column(BigInteger)


class ViewRow(Base):
    """One time that somebody looked at the pictures of a pair."""

    __tablename__ = "review_views"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    enrollment_id: Mapped[str] = mapped_column(String(32), index=True)
    candidate: Mapped[int] = mapped_column(Integer)  # its place on the screen, from 1
    adjudicator: Mapped[str] = mapped_column(String(60))
    at: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Case:
    """A review.

    Args:
        id: of the enrolment.
        opened_at: Unix seconds.
        votes: by adjudicator.
        outcome: what was decided; None while it is open.
    """

    id: str
    opened_at: int
    votes: Mapping[str, Verdict]
    outcome: CaseOutcome | None

    def awaits(self, adjudicator: str) -> bool:
        """Whether this adjudicator may still vote."""
        return self.outcome is None and adjudicator not in self.votes


def decide(votes: Mapping[str, Verdict]) -> CaseOutcome | None:
    """What some votes amount to; None where another one is needed."""
    counts = Counter(votes.values()).most_common(1)
    if counts and counts[0][1] >= _AGREEING:
        return CaseOutcome(counts[0][0].value)
    return CaseOutcome.CANNOT_TELL if len(votes) >= MAX_VOTES else None


def open_case(connection: Connection, enrollment_id: str) -> None:
    """Begin a review."""
    row = {"enrollment_id": enrollment_id, "opened_at": int(time.time())}
    connection.execute(insert(CaseRow), row)


def read_case(connection: Connection, case_id: str, *, lock: bool = False) -> Case:
    """Read a review; with `lock`, as the one who may change it until the commit.

    Raises:
        ReviewCaseUnknown: there is none.
    """
    query = select(CaseRow.__table__).where(CaseRow.enrollment_id == case_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise ReviewCaseUnknown("there is no such review: see `personhood review list`")
    votes = select(VoteRow.adjudicator, VoteRow.verdict).where(VoteRow.enrollment_id == case_id)
    found = {who: Verdict(said) for who, said in connection.execute(votes)}
    outcome = CaseOutcome(row.outcome) if row.outcome else None
    return Case(case_id, row.opened_at, MappingProxyType(found), outcome)


def open_case_ids(connection: Connection) -> list[str]:
    """List the reviews that are not decided, the oldest first."""
    query = select(CaseRow.enrollment_id).where(CaseRow.outcome.is_(None))
    return list(connection.scalars(query.order_by(CaseRow.opened_at, CaseRow.enrollment_id)))


def read_waiting(connection: Connection) -> list[int]:
    """Since when each open review waits, Unix seconds, the oldest first."""
    query = select(CaseRow.opened_at).where(CaseRow.outcome.is_(None))
    return list(connection.scalars(query.order_by(CaseRow.opened_at)))


def note_view(connection: Connection, case_id: str, candidate: int, adjudicator: str) -> None:
    """Write down that somebody looks at a pair."""
    row = {
        "enrollment_id": case_id,
        "candidate": candidate,
        "adjudicator": adjudicator,
        "at": int(time.time()),
    }
    connection.execute(insert(ViewRow), row)


def add_vote(connection: Connection, case: Case, adjudicator: str, verdict: Verdict) -> Case:
    """Write down a vote, and tell the outcome if it decides; the case was read with `lock`.

    Raises:
        AdjudicatorMayNotVote: voted before, or did not look.
    """
    if not case.awaits(adjudicator):
        raise AdjudicatorMayNotVote(
            "this review is decided, or you voted in it: the next vote has to be somebody else's"
        )
    looked = select(ViewRow.id).where(
        ViewRow.enrollment_id == case.id, ViewRow.adjudicator == adjudicator
    )
    if connection.execute(looked.limit(1)).first() is None:
        raise AdjudicatorMayNotVote("look at the pictures of this review before you vote")
    row = {
        "enrollment_id": case.id,
        "adjudicator": adjudicator,
        "verdict": verdict.value,
        "at": int(time.time()),
    }
    connection.execute(insert(VoteRow), row)
    votes = MappingProxyType({**case.votes, adjudicator: verdict})
    return Case(case.id, case.opened_at, votes, decide(votes))


def close_case(connection: Connection, case_id: str, outcome: CaseOutcome) -> None:
    """End a review that is open."""
    query = update(CaseRow).where(CaseRow.enrollment_id == case_id, CaseRow.outcome.is_(None))
    connection.execute(query.values(outcome=outcome.value, closed_at=int(time.time())))
