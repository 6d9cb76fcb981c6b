"""The statements of every decision, built once: to build one costs as much as to run it."""

from functools import cache

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Table,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)

from uniqueness.database import insert_for
from uniqueness.prepared import Prepared
from uniqueness.schema import (
    HEAD,
    Base,
    HeadRow,
    OutcomeRow,
    RemovalRow,
    ScoreCountRow,
    TemplateRow,
    VerdictRow,
)


def _table(row: type[Base]) -> Table:
    return Base.metadata.tables[row.__tablename__]


def _insert(table: Table, *, without: str = "") -> Prepared:
    columns = [column.name for column in table.columns if column.name != without]
    return Prepared(insert(table).inline(), columns)


_head, _templates, _removals = _table(HeadRow), _table(TemplateRow), _table(RemovalRow)
_verdicts = _table(VerdictRow)

_IS_HEAD = _head.c.id == literal_column(str(HEAD))
_HEAD = select(_head.c.last_sequence, _head.c.last_person, _head.c.people).where(_IS_HEAD)
READ_HEAD = Prepared(_HEAD)
# On SQLite a writing transaction has the lock from its beginning, and this is a plain read.
LOCK_HEAD = Prepared(_HEAD.with_for_update())
MOVE_HEAD = Prepared(
    update(_head)
    .where(_IS_HEAD)
    .values({name: bindparam(name) for name in ("last_sequence", "last_person", "people")})
)

ADD_VERDICTS = _insert(_verdicts)


@cache
def verdicts_of(count: int) -> Prepared:
    """The verdicts of as many requests, which are named r0, r1, r2, ..."""
    names: list[BindParameter[str]] = [bindparam(f"r{number}") for number in range(count)]
    return Prepared(select(_verdicts).where(_verdicts.c.request_id.in_(names)))


KEPT = select(
    _templates.c.sequence,
    _templates.c.person,
    _templates.c.model,
    _templates.c.key_id,
    _templates.c.nonce,
    _templates.c.ciphertext,
).where(_templates.c.ciphertext.is_not(None))
KEPT_BETWEEN = KEPT.where(
    _templates.c.sequence > bindparam("after"), _templates.c.sequence <= bindparam("until")
).order_by(_templates.c.sequence)
KEPT_OF_PERSONS = KEPT.where(_templates.c.person.in_(bindparam("persons", expanding=True)))
KEPT_AT = KEPT.where(_templates.c.sequence.in_(bindparam("sequences", expanding=True)))
PERSONS_AT = select(_templates.c.person).where(
    _templates.c.sequence.in_(bindparam("sequences", expanding=True))
)
ADD_TEMPLATES = _insert(_templates)
ERASE = (
    update(_templates)
    .where(_templates.c.person == bindparam("whom"))
    .values(key_id=None, nonce=None, ciphertext=None)
)
SEQUENCES_OF = (
    select(_templates.c.sequence)
    .where(_templates.c.person == bindparam("whom"))
    .order_by(_templates.c.sequence)
)

REMOVED_BETWEEN = select(_removals.c.person).where(
    _removals.c.sequence > bindparam("after"), _removals.c.sequence <= bindparam("until")
)
REMOVED_SEQUENCES_BETWEEN = (
    select(_templates.c.sequence)
    .where(_templates.c.person.in_(REMOVED_BETWEEN))
    .order_by(_templates.c.sequence)
)
REMOVAL_OF = select(_removals.c.sequence).where(_removals.c.person == bindparam("whom"))
ADD_REMOVAL = insert(_removals)

ADD_OUTCOMES = _insert(_table(OutcomeRow), without="sequence")


def _count_scores(connection: Connection) -> Insert:
    """Add to the count of a bin, which may not be there yet."""
    query = insert_for(connection, ScoreCountRow)
    return query.on_conflict_do_update(
        index_elements=["outcome", "model", "block", "bin"],
        set_={"count": ScoreCountRow.count + query.excluded.count},
    )


COUNT_SCORES = Prepared(_count_scores, ["outcome", "model", "block", "bin", "count"])
