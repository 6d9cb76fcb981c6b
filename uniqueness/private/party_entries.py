"""Entries of a party's gallery, as its store writes and reads them on one connection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, insert, select, update

from uniqueness.errors import ShareMissing
from uniqueness.private.chain import GENESIS, after_removal, after_template
from uniqueness.private.party_schema import EntryRow
from uniqueness.private.protocol import ComponentDigests
from uniqueness.private.shares import RingArray, Share
from uniqueness.sealing import Keyring, SealedRecord

SequenceArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TemplateEntry:
    """A template; `share` is None once it was erased."""

    batch: str
    row: int
    digests: ComponentDigests
    share: Share | None = field(repr=False)


@dataclass(frozen=True)
class RemovalEntry:
    """A removal, of the templates with these numbers."""

    erased: tuple[int, ...]


Entry = TemplateEntry | RemovalEntry


@dataclass(frozen=True)
class ChainHead:
    """The last number, and the chains of both components up to it."""

    sequence: int
    chains: ComponentDigests

    def then(self, entry: Entry) -> "ChainHead":
        """The head with one more entry."""
        number = self.sequence + 1
        if isinstance(entry, RemovalEntry):
            chains = (after_removal(chain, number, entry.erased) for chain in self.chains)
        else:
            pairs = zip(self.chains, entry.digests, strict=True)
            chains = (after_template(chain, number, digest) for chain, digest in pairs)
        return ChainHead(number, ComponentDigests(*chains))


NOTHING: Final = ChainHead(0, ComponentDigests(GENESIS, GENESIS))


@dataclass(frozen=True, eq=False)
class Stretch:
    """What the numbers in (after, until] change for who holds those before.

    Args:
        until: the last number.
        sequences: (n,) int64, templates added and still there.
        shares: (n, 2, d) uint64.
        erased: (m,) int64, numbers erased.
    """

    until: int
    sequences: SequenceArray
    shares: RingArray = field(repr=False)
    erased: SequenceArray


class Entries:
    """Reads and writes entries; seals and opens the shares in them.

    Args:
        keyring: the store's keys.
        party: whose store it is.
    """

    def __init__(self, keyring: Keyring, party: int) -> None:
        self._keyring = keyring
        self._party = party

    def head(self, connection: Connection) -> ChainHead:
        """How far the gallery is."""
        last = select(EntryRow.sequence, EntryRow.chain_first, EntryRow.chain_second)
        row = connection.execute(last.order_by(EntryRow.sequence.desc()).limit(1)).one_or_none()
        return NOTHING if row is None else ChainHead(row[0], ComponentDigests(*row[1:]))

    def head_at(self, connection: Connection, sequence: int) -> ChainHead:
        """How far the gallery was at a number that it has."""
        if sequence == 0:
            return NOTHING
        chains = select(EntryRow.chain_first, EntryRow.chain_second)
        row = connection.execute(chains.where(EntryRow.sequence == sequence)).one()
        return ChainHead(sequence, ComponentDigests(*row))

    def count(self, connection: Connection) -> int:
        """Templates that are there."""
        there = select(func.count()).where(EntryRow.key_id.is_not(None))
        return connection.scalar(there) or 0

    def append(self, connection: Connection, head: ChainHead, entry: Entry) -> ChainHead:
        """Write the next entry; a removal erases what it names.

        Raises:
            ShareMissing: a removal names what is no template.
        """
        new = head.then(entry)
        row: dict[str, Any] = {
            "sequence": new.sequence,
            "chain_first": new.chains.first,
            "chain_second": new.chains.second,
        }
        if isinstance(entry, RemovalEntry):
            self._erase(connection, entry.erased, at=new.sequence)
            row |= {"erased": np.array(entry.erased, "<i8").tobytes()}
        else:
            row |= {"batch": entry.batch, "row": entry.row}
            row |= {"first": entry.digests.first, "second": entry.digests.second}
            if entry.share is not None:
                place = template_context(self._party, new.sequence, entry.batch, entry.row)
                row |= self.seal(entry.share, place)
        connection.execute(insert(EntryRow).values(row))
        return new

    def read(self, connection: Connection, *, after: int, until: int) -> list[Entry]:
        """The entries with numbers in (after, until], in order.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        return [self._entry(row) for row in _rows(connection, after, until)]

    def stretch(
        self, connection: Connection, *, after: int, until: int, dimension: int
    ) -> Stretch | None:
        """What the numbers in (after, until] change; None where a share is still to come.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        sequences: list[int] = []
        shares: list[RingArray] = []
        erased: list[int] = []
        for row in _rows(connection, after, until):
            entry = self._entry(row)
            if isinstance(entry, RemovalEntry):
                erased += entry.erased
            elif entry.share is not None:
                sequences.append(row.sequence)
                shares.append(entry.share.components)
            elif row.erased_at is None:
                return None
        stacked = np.stack(shares) if shares else np.empty((0, 2, dimension), np.uint64)
        return Stretch(until, np.array(sequences, np.int64), stacked, np.array(erased, np.int64))

    def sample(self, connection: Connection, count: int) -> RingArray:
        """(count, 2, d) uint64, the shares of templates evenly spread over those that are there.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        there = select(EntryRow.sequence).where(EntryRow.key_id.is_not(None))
        sequences = np.fromiter(connection.scalars(there.order_by(EntryRow.sequence)), np.int64)
        chosen = sequences[np.linspace(0, len(sequences) - 1, count).astype(np.int64)]
        rows = connection.execute(
            select(EntryRow.__table__)
            .where(EntryRow.sequence.in_(chosen.tolist()))
            .order_by(EntryRow.sequence)
        )
        opened = (
            self.open(row, template_context(self._party, row.sequence, row.batch, row.row))
            for row in rows
        )
        return np.stack([share.components for share in opened])

    def seal(self, share: Share, context: bytes) -> dict[str, Any]:
        """The columns of a sealed share."""
        record = self._keyring.seal(share.to_bytes(), context=context)
        return {"key_id": record.key_id, "nonce": record.nonce, "ciphertext": record.ciphertext}

    def open(self, row: Any, context: bytes) -> Share:
        """The share in a row.

        Raises:
            WrongKey, RecordCorrupted: see `uniqueness.sealing`.
        """
        record = SealedRecord(row.key_id, row.nonce, row.ciphertext)
        return Share.from_bytes(self._keyring.open(record, context=context))

    def _erase(self, connection: Connection, sequences: Iterable[int], *, at: int) -> None:
        gone = {"erased_at": at, "key_id": None, "nonce": None, "ciphertext": None}
        for sequence in sequences:
            template = EntryRow.sequence == sequence, EntryRow.batch.is_not(None)
            done = connection.execute(update(EntryRow).where(*template).values(gone))
            if not done.rowcount:
                raise ShareMissing(f"no template has the number {sequence}; nothing was erased")

    def _entry(self, row: Any) -> Entry:
        if row.batch is None:
            return RemovalEntry(tuple(np.frombuffer(row.erased, "<i8").tolist()))
        share = None
        if row.ciphertext is not None:
            context = template_context(self._party, row.sequence, row.batch, row.row)
            share = self.open(row, context)
        digests = ComponentDigests(row.first, row.second)
        return TemplateEntry(row.batch, row.row, digests, share)


def template_context(party: int, sequence: int, batch: str, row: int) -> bytes:
    """What a template's seal is bound to, so that it opens in its own row of its own store."""
    return f"private template\0{party}\0{sequence}\0{row}\0{batch}".encode()


def probe_context(party: int, batch: str, row: int) -> bytes:
    """What a prepared share's seal is bound to."""
    return f"private probe\0{party}\0{row}\0{batch}".encode()


def _rows(connection: Connection, after: int, until: int) -> Sequence[Any]:
    between = EntryRow.sequence > after, EntryRow.sequence <= until
    query = select(EntryRow.__table__).where(*between).order_by(EntryRow.sequence)
    return connection.execute(query).all()
