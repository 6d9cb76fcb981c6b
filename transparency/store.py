"""The log in a database: appended to inside whatever transaction decided, read by anybody.

An append reads and moves one row, whatever the size of the log, and writes one leaf and, on
average, one node a leaf. A proof reads at most two nodes a level.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from transparency.checkpoint import Checkpoint
from transparency.entry import Entry, Kind, Opening
from transparency.errors import EntryInvalid, LogRangeInvalid, LogUnavailable
from transparency.merkle import HASH_BYTES, Frontier, Node, Tree, leaf_hash
from transparency.schema import HEAD, Base, HeadRow, LeafRow, NodeRow, OpeningRow

_LEVELS = 64  # more than any log has
_SCHEMA_LOCK = 0x6C6F67  # PostgreSQL advisory lock: one process makes the tables


@dataclass(frozen=True)
class Disclosed:
    """Which commitment the leaf at `index` is about."""

    index: int
    opening: Opening


class DecisionLog:
    """Appends to and reads the decision log.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        LogUnavailable: here and in every method that takes no connection, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with self.writing() as connection:
            create_tables(connection)

    def append(
        self,
        connection: Connection,
        entries: Sequence[Entry],
        openings: Sequence[Opening] = (),
    ) -> list[int]:
        """Append entries in the caller's transaction, which then holds the log's lock.

        Args:
            connection: in a transaction that may write (on SQLite one begun by BEGIN IMMEDIATE).
            entries: in their order.
            openings: of those commitments in `entries` that anybody may know.

        Returns:
            The indices of their leaves.

        Raises:
            EntryInvalid: an entry cannot be written, or an opening opens none of them.
        """
        if not entries:
            return []
        frontier = _lock(connection)
        places = {e.commitment: frontier.size + n for n, e in enumerate(entries) if e.commitment}
        if not {opening.digest for opening in openings} <= places.keys():
            raise EntryInvalid("an opening is of no entry that is appended with it")
        leaves, nodes = [], []
        for entry in entries:
            leaf = entry.to_bytes()
            leaves.append({"place": frontier.size, "kind": entry.kind.value, "leaf": leaf})
            _, *completed = frontier.append(leaf_hash(leaf))
            nodes += [{"place": _place(node), "hash": found} for node, found in completed]
        disclosed = [
            {"place": places[o.digest], "commitment": f"{o.commitment:064x}", "salt": o.salt}
            for o in openings
        ]
        connection.execute(_ADD_LEAVES, leaves)
        if nodes:
            connection.execute(_ADD_NODES, nodes)
        if disclosed:
            connection.execute(_ADD_OPENINGS, disclosed)
        head = {"new_size": frontier.size, "new_frontier": b"".join(frontier.hashes)}
        connection.execute(_MOVE_HEAD, head)
        return [int(row["place"]) for row in leaves]

    def append_alone(self, entries: Sequence[Entry]) -> list[int]:
        """Append entries in a transaction of their own; see `append`."""
        with self.writing() as connection:
            return self.append(connection, entries)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction to append in, where the caller has none."""
        with _faults_translated(), self._engine.execution_options(writes=True).begin() as writer:
            yield writer

    def size(self) -> int:
        """How many entries there are."""
        with self._read() as connection:
            return connection.scalar(select(HeadRow.size)) or 0

    def checkpoint(self, origin: str) -> Checkpoint:
        """The head of the log, over all entries."""
        with self._read() as connection:
            size, hashes = connection.execute(select(HeadRow.size, HeadRow.frontier)).one()
        return Checkpoint(origin, size, _frontier(size, hashes).root)

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The leaves `start` to `end - 1`, or as many of them as there are."""
        query = (
            select(LeafRow.leaf)
            .where(LeafRow.place >= start, LeafRow.place < end)
            .order_by(LeafRow.place)
        )
        with self._read() as connection:
            return list(connection.scalars(query))

    def entries(self, start: int, end: int) -> list[Entry]:
        """See `leaves`."""
        return [Entry.from_bytes(leaf) for leaf in self.leaves(start, end)]

    def last(self, kind: Kind) -> Entry | None:
        """The newest entry of a kind."""
        query = (
            select(LeafRow.leaf)
            .where(LeafRow.kind == kind.value)
            .order_by(LeafRow.place.desc())
            .limit(1)
        )
        with self._read() as connection:
            leaf = connection.scalar(query)
        return None if leaf is None else Entry.from_bytes(leaf)

    def openings(self, start: int, limit: int) -> list[Disclosed]:
        """What is disclosed of the leaves from `start` on, in their order, at most `limit`."""
        query = (
            select(OpeningRow.place, OpeningRow.commitment, OpeningRow.salt)
            .where(OpeningRow.place >= start)
            .order_by(OpeningRow.place)
            .limit(limit)
        )
        with self._read() as connection:
            rows = connection.execute(query).all()
        return [Disclosed(row.place, Opening(int(row.commitment, 16), row.salt)) for row in rows]

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries.

        Raises:
            LogRangeInvalid: there are not so many.
        """
        with self._tree(size) as tree:
            return tree.root(size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove that entry `index` is among the first `size`.

        Raises:
            LogRangeInvalid: there is no such entry, or there are not so many.
        """
        with self._tree(size) as tree:
            return tree.inclusion(index, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Prove that the first `second` entries begin with the first `first`.

        Raises:
            LogRangeInvalid: not 0 <= first <= second, or there are not so many.
        """
        with self._tree(second) as tree:
            return tree.consistency(first, second)

    @contextmanager
    def _tree(self, size: int) -> Iterator[Tree]:
        with self._read() as connection:
            if not 0 <= size <= (connection.scalar(select(HeadRow.size)) or 0):
                raise LogRangeInvalid(f"the log does not have {size} entries")
            yield Tree(lambda nodes: _hashes(connection, nodes))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _faults_translated(), self._engine.begin() as connection:
            yield connection


def create_tables(connection: Connection) -> None:
    """Make the tables and the head that are not there; safe for several processes at once."""
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    Base.metadata.create_all(connection)
    make = postgresql.insert if on_postgresql else sqlite.insert
    head = {"id": HEAD, "size": 0, "frontier": b""}
    connection.execute(make(HeadRow).values(head).on_conflict_do_nothing())


def _lock(connection: Connection) -> Frontier:
    """Read the head, which nobody else can move until the transaction ends."""
    return _frontier(*connection.execute(_LOCK_HEAD).one())


def _frontier(size: int, hashes: bytes) -> Frontier:
    return Frontier(
        size, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    )


def _hashes(connection: Connection, nodes: Sequence[Node]) -> dict[Node, bytes]:
    leaves = [node.number for node in nodes if node.level == 0]
    inner = {_place(node): node for node in nodes if node.level}
    found = {
        Node(0, row.place): leaf_hash(row.leaf)
        for row in connection.execute(
            select(LeafRow.place, LeafRow.leaf).where(LeafRow.place.in_(leaves))
        )
    }
    stored = connection.execute(
        select(NodeRow.place, NodeRow.hash).where(NodeRow.place.in_(list(inner)))
    )
    return found | {inner[row.place]: row.hash for row in stored}


def _place(node: Node) -> int:
    return node.number * _LEVELS + node.level


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LogUnavailable(
            "the decision log's database failed: look at the service's log, then try again"
        ) from error


# What every append runs is made once: to make a statement takes SQLAlchemy longer than to run it.
_LOCK_HEAD = select(HeadRow.size, HeadRow.frontier).where(HeadRow.id == HEAD).with_for_update()
_ADD_LEAVES, _ADD_NODES, _ADD_OPENINGS = insert(LeafRow), insert(NodeRow), insert(OpeningRow)
_MOVE_HEAD = (
    update(HeadRow)
    .where(HeadRow.id == HEAD)
    .values(size=bindparam("new_size"), frontier=bindparam("new_frontier"))
)
