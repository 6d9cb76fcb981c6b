"""What one account signed, written before it is sent.

A transaction has a nonce and one version or more: each later version pays more, and all have the
same nonce, so that the chain takes one of them at most.
"""

from collections.abc import Callable, Collection, Sequence
from time import time
from typing import Any, TypeAlias

from sqlalchemy import Connection, func, insert, select, update

from distribution.chain import Call
from distribution.database import Database
from distribution.endpoint import Inclusion
from distribution.sent import (
    UNDER_WAY,
    Handed,
    Sent,
    SentRow,
    SentState,
    Version,
    VersionRow,
    sent_of,
    version_row,
)

Note: TypeAlias = Callable[[Connection, int], None]
"""Writes something else in the database transaction that keeps a call, given its id."""


class Journal:
    """The transactions of one account to one deployment.

    Args:
        database: where they are kept.
        deployment: which; nonces and blocks of another chain mean nothing on this one.
        sender: address of the account.

    Raises:
        JournalUnavailable: out of every method, the database failed.
    """

    def __init__(self, database: Database, deployment: str, sender: str) -> None:
        self.database = database
        self._of = (SentRow.deployment == deployment, SentRow.sender == sender)
        self._owner = {"deployment": deployment, "sender": sender}

    def add(
        self,
        purpose: str,
        call: Call,
        gas: int,
        first_nonce: int,
        sign: Callable[[int], Version],
        note: Note | None = None,
    ) -> Sent:
        """Give a call the next nonce, sign it and keep it.

        Args:
            first_nonce: how many transactions the chain has of the account.
            sign: makes the first version for a nonce.
        """
        with self.database.write() as connection:
            last = connection.scalar(select(func.max(SentRow.nonce)).where(*self._of))
            nonce = first_nonce if last is None else max(first_nonce, last + 1)
            version = sign(nonce)
            row = {
                "nonce": nonce,
                "purpose": purpose,
                "recipient": call.to,
                "call_data": call.data,
                "gas": gas,
                "state": SentState.SIGNED.value,
                "signed_at": version.signed_at,
            }
            inserted = insert(SentRow).values(self._owner | row).returning(SentRow.id)
            identifier = connection.execute(inserted).scalar_one()
            connection.execute(insert(VersionRow), version_row(identifier, version))
            if note is not None:
                note(connection, identifier)
        return Sent(
            identifier,
            purpose,
            nonce,
            call,
            gas,
            SentState.SIGNED,
            version.signed_at,
            versions=(version,),
        )

    def add_version(self, identifier: int, version: Version) -> None:
        with self.database.write() as connection:
            connection.execute(insert(VersionRow), version_row(identifier, version))

    def transactions(
        self, states: Sequence[SentState] = UNDER_WAY, purpose: str | None = None
    ) -> list[Sent]:
        """Transactions in these states, by nonce."""
        where = [*self._of, SentRow.state.in_([state.value for state in states])]
        if purpose is not None:
            where.append(SentRow.purpose == purpose)
        return self._select(*where)

    def count(self, state: SentState) -> int:
        """How many transactions are in a state, without reading what they carry."""
        query = select(func.count()).where(*self._of, SentRow.state == state.value)
        with self.database.read() as connection:
            return connection.scalar(query) or 0

    def get(self, identifier: int) -> Sent:
        return self._select(*self._of, SentRow.id == identifier)[0]

    def handed(self, identifiers: Collection[int]) -> dict[int, Handed]:
        """The hashes of transactions, without what they carry, which may be much."""
        if not identifiers:
            return {}
        query = (
            select(SentRow.id, SentRow.included_hash, SentRow.given_at, VersionRow.hash)
            .join(VersionRow, VersionRow.transaction_id == SentRow.id)
            .where(*self._of, SentRow.id.in_(identifiers))
            .order_by(VersionRow.max_fee)
        )
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        return {row.id: Handed(row.included_hash or row.hash, row.given_at) for row in rows}

    def newest_final(self, below: int | None = None) -> tuple[int, str] | None:
        """The highest block that has a final one, and its hash; of blocks below, if given."""
        query = select(SentRow.block, SentRow.block_hash).where(
            *self._of, SentRow.state == SentState.FINAL.value
        )
        if below is not None:
            query = query.where(SentRow.block < below)
        with self.database.read() as connection:
            found = connection.execute(query.order_by(SentRow.block.desc()).limit(1)).first()
        return None if found is None else (found.block, found.block_hash)

    def mark_given(self, sent: Sequence[Sent]) -> None:
        if first := [one.id for one in sent if one.given_at is None]:
            self._mark(SentRow.id.in_(first), given_at=now())

    def mark_included(self, sent: Sent, version: Version, inclusion: Inclusion) -> None:
        self._mark(
            SentRow.id == sent.id,
            state=SentState.INCLUDED.value,
            block=inclusion.block,
            block_hash=inclusion.block_hash,
            included_hash=version.hash,
            succeeded=inclusion.succeeded,
            gas_used=inclusion.gas_used,
        )

    def mark_final(self, sent: Sent) -> None:
        self._mark(SentRow.id == sent.id, state=SentState.FINAL.value)

    def mark_displaced(self, sent: Sent) -> None:
        """Its nonce is free in this journal, since it is another transaction's."""
        self._mark(SentRow.id == sent.id, state=SentState.DISPLACED.value, nonce=None)

    def reopen(self, sent: Sent) -> None:
        """The chain does not hold it any more."""
        self._mark(SentRow.id == sent.id, state=SentState.SIGNED.value, **_NOT_INCLUDED)

    def reopen_from(self, block: int) -> list[int]:
        """The chain is another one from `block` on; returns the ids that this concerns."""
        undone = (
            *self._of,
            SentRow.block >= block,
            SentRow.state.in_([SentState.INCLUDED.value, SentState.FINAL.value]),
        )
        values = {"state": SentState.SIGNED.value, **_NOT_INCLUDED}
        with self.database.write() as connection:
            identifiers = list(connection.scalars(select(SentRow.id).where(*undone)))
            connection.execute(update(SentRow).where(*undone).values(values))
        return identifiers

    def _mark(self, *where: Any, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(SentRow).where(*self._of, *where).values(values))

    def _select(self, *where: Any) -> list[Sent]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(SentRow.__table__).where(*where).order_by(SentRow.nonce, SentRow.id)
            ).all()
            versions: dict[int, list[Version]] = {row.id: [] for row in rows}
            query = (
                select(VersionRow.__table__)
                .where(VersionRow.transaction_id.in_(versions))
                .order_by(VersionRow.max_fee)
            )
            for row in connection.execute(query):
                versions[row.transaction_id].append(
                    Version(row.hash, row.max_fee, row.tip, row.signed, row.signed_at)
                )
        return [sent_of(row, tuple(versions[row.id])) for row in rows]


_NOT_INCLUDED: dict[str, None] = dict.fromkeys(
    ("block", "block_hash", "included_hash", "succeeded", "gas_used")
)


def now() -> int:
    """Seconds since 1970."""
    return int(time())
