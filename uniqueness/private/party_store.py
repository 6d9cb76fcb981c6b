"""What one party keeps: its shares, sealed, in a database of its own.

Everything is durable before it is answered, and each method is one transaction: whatever is killed
at whatever moment, the next to open the store finds it before or after a step, never in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, delete, exists, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from uniqueness.database import insert_for, prepare, writer
from uniqueness.errors import (
    GalleryUnavailable,
    PartiesDisagree,
    PartyBehind,
    ShareMissing,
    ShareRefused,
    TrustInvalid,
)
from uniqueness.private.chain import component_digest
from uniqueness.private.party_entries import (
    ChainHead,
    Entries,
    Entry,
    RemovalEntry,
    Stretch,
    TemplateEntry,
    probe_context,
)
from uniqueness.private.party_schema import OWNER, Base, OwnerRow, PreparedRow, SettledRow
from uniqueness.private.protocol import Commit, ComponentDigests, Erased
from uniqueness.private.shares import RingArray, Share
from uniqueness.sealing import Keyring

STRETCH = 2048  # numbers read at a time; the same at all parties, whose engines add in step


class PartyStore:
    """Reads and writes the tables of a party.

    Args:
        engine: SQLAlchemy engine of a database that is this party's alone; tables are made.
        keyring: its keys at rest.
        party: 0 to 2.
        dimension: d of the templates.

    Raises:
        TrustInvalid: the store is another party's, or of another dimension.
        GalleryUnavailable: here and in every method, the database failed.
        WrongKey, RecordCorrupted: where shares are read; see `uniqueness.sealing`.
    """

    def __init__(self, engine: Engine, keyring: Keyring, party: int, dimension: int) -> None:
        self._engine = prepare(engine)
        self._writer = writer(engine)
        self._entries = Entries(keyring, party)
        self._party = party
        self._dimension = dimension
        with self._write() as connection:
            Base.metadata.create_all(connection)
            own = {"id": OWNER, "party": party, "dimension": dimension}
            made = insert_for(connection, OwnerRow).values(own)
            connection.execute(made.on_conflict_do_nothing())
            found = connection.execute(select(OwnerRow.party, OwnerRow.dimension)).one()
            if tuple(found) != (party, dimension):
                raise TrustInvalid(
                    f"this store is party {found.party}'s, of templates of {found.dimension} "
                    "values: name another home, or another index"
                )

    def head(self) -> ChainHead:
        """How far the gallery is."""
        with self._read() as connection:
            return self._entries.head(connection)

    def head_at(self, sequence: int) -> ChainHead:
        """How far the gallery was at a number not past the head."""
        with self._read() as connection:
            return self._entries.head_at(connection, sequence)

    def count(self) -> int:
        """Templates that are there."""
        with self._read() as connection:
            return self._entries.count(connection)

    def prepared_batches(self) -> tuple[str, ...]:
        """Batches that wait for a decision."""
        with self._read() as connection:
            batches = select(PreparedRow.batch).distinct().order_by(PreparedRow.batch)
            return tuple(connection.scalars(batches))

    def prepare(self, batch: str, shares: Sequence[Share]) -> tuple[ComponentDigests, ...]:
        """Keep the shares of a batch.

        Raises:
            ShareRefused: the batch has other shares, or is settled.
        """
        digests = tuple(_digests(batch, row, share) for row, share in enumerate(shares))
        with self._write() as connection:
            if connection.scalar(select(exists().where(SettledRow.batch == batch))):
                raise ShareRefused("this batch was decided or dropped before; a batch is used once")
            kept = select(PreparedRow.first, PreparedRow.second).where(PreparedRow.batch == batch)
            before = [ComponentDigests(*row) for row in connection.execute(_in_order(kept))]
            if before and before != list(digests):
                raise ShareRefused("this batch has other shares already; a batch is used once")
            if not before:
                rows = [
                    self._prepared_row(batch, row, share, digests[row])
                    for row, share in enumerate(shares)
                ]
                connection.execute(insert(PreparedRow), rows)
        return digests

    def probes(self, batch: str) -> RingArray:
        """(p, 2, d) uint64, the shares of a prepared batch.

        Raises:
            ShareMissing: it is not prepared.
        """
        with self._read() as connection:
            shares = self._prepared(connection, batch)
        if not shares:
            raise ShareMissing("this batch is not prepared; prepare it (again)")
        return np.stack([share.components for _, share in sorted(shares.items())])

    def sample(self, count: int) -> RingArray:
        """(count, 2, d) uint64, the shares of templates evenly spread over those that are there."""
        with self._read() as connection:
            return self._entries.sample(connection, count)

    def counted(self) -> int | None:
        """The head at which a histogram of a sample was told last."""
        with self._read() as connection:
            return connection.scalar(select(OwnerRow.counted))

    def note_counted(self) -> None:
        """Note that a histogram of a sample is told now."""
        with self._write() as connection:
            head = self._entries.head(connection).sequence
            connection.execute(update(OwnerRow).values(counted=head))

    def commit(self, commit: Commit) -> None:
        """See `PartyLike.commit`."""
        with self._write() as connection:
            head = self._entries.head(connection)
            if commit.head > head.sequence:
                raise PartyBehind(
                    f"party {self._party} is at {head.sequence}, and this commit follows on "
                    f"{commit.head}: repeat the commits between, or reshare it"
                )
            if commit.head < head.sequence and commit.changes:
                self._require_same(connection, commit, head)
            elif commit.changes:
                self._apply(connection, commit, head)
            self._settle(connection, commit.batch)

    def discard(self, batch: str) -> None:
        """Drop a prepared batch, for good."""
        with self._write() as connection:
            if connection.scalar(select(exists().where(PreparedRow.batch == batch))):
                self._settle(connection, batch)

    def entries(self, *, after: int, until: int) -> list[Entry]:
        """The entries with numbers in (after, until], in order."""
        with self._read() as connection:
            return self._entries.read(connection, after=after, until=until)

    def stretches(self, after: int) -> Iterator[Stretch]:
        """What follows on a number, up to the head, in order.

        Raises:
            PartyBehind: a share is still missing, as resharing ended half-way.
        """
        while after < (head := self.head().sequence):
            until = min(after + STRETCH, head)
            with self._read() as connection:
                found = self._entries.stretch(
                    connection, after=after, until=until, dimension=self._dimension
                )
            if found is None:
                raise PartyBehind(f"party {self._party} is half reshared: reshare it to the end")
            yield found
            after = until

    def extend(self, head: ChainHead, entries: Sequence[Entry]) -> ChainHead:
        """Append entries that came from other parties.

        Args:
            head: on which they follow.

        Raises:
            PartiesDisagree: this store is at another head.
            ShareMissing: a removal names what is no template.
        """
        with self._write() as connection:
            if self._entries.head(connection) != head:
                raise PartiesDisagree(f"party {self._party} holds something else at this head")
            for entry in entries:
                head = self._entries.append(connection, head, entry)
            for batch in {entry.batch for entry in entries if isinstance(entry, TemplateEntry)}:
                self._settle(connection, batch)
        return head

    def _apply(self, connection: Connection, commit: Commit, head: ChainHead) -> None:
        waiting = self._prepared(connection, commit.batch)
        for change in commit.changes:
            entry: Entry
            if isinstance(change, Erased):
                entry = RemovalEntry(change.sequences)
            elif (share := waiting.pop(change.row, None)) is not None:
                digests = _digests(commit.batch, change.row, share)
                entry = TemplateEntry(commit.batch, change.row, digests, share)
            else:
                raise ShareMissing(f"row {change.row} of the batch is not prepared here")
            head = self._entries.append(connection, head, entry)

    def _require_same(self, connection: Connection, commit: Commit, head: ChainHead) -> None:
        until = min(commit.head + len(commit.changes), head.sequence)
        done = self._entries.read(connection, after=commit.head, until=until)
        if [_told(commit.batch, change) for change in commit.changes] != [
            entry.erased if isinstance(entry, RemovalEntry) else (entry.batch, entry.row)
            for entry in done
        ]:
            raise PartiesDisagree(
                f"party {self._party} did something else after {commit.head} than it is now told"
            )

    def _settle(self, connection: Connection, batch: str) -> None:
        connection.execute(delete(PreparedRow).where(PreparedRow.batch == batch))
        settled = insert_for(connection, SettledRow).values({"batch": batch})
        connection.execute(settled.on_conflict_do_nothing())

    def _prepared(self, connection: Connection, batch: str) -> dict[int, Share]:
        query = select(PreparedRow.__table__).where(PreparedRow.batch == batch)
        return {
            row.row: self._entries.open(row, probe_context(self._party, batch, row.row))
            for row in connection.execute(_in_order(query))
        }

    def _prepared_row(
        self, batch: str, row: int, share: Share, digests: ComponentDigests
    ) -> Mapping[str, Any]:
        where = {"batch": batch, "row": row, "first": digests.first, "second": digests.second}
        return where | self._entries.seal(share, probe_context(self._party, batch, row))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _faults_translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with _faults_translated(), self._writer.begin() as connection:
            yield connection


def _digests(batch: str, row: int, share: Share) -> ComponentDigests:
    first, second = share.components.astype("<u8")
    return ComponentDigests(
        component_digest(batch, row, first.tobytes()),
        component_digest(batch, row, second.tobytes()),
    )


def _told(batch: str, change: Any) -> object:
    return change.sequences if isinstance(change, Erased) else (batch, change.row)


def _in_order(query: Any) -> Any:
    return query.order_by(PreparedRow.row)


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise GalleryUnavailable(
            "the party's database failed, nothing was changed: look at its log, then retry"
        ) from error
