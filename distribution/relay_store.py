"""The claims that a relayer took, kept until they are paid."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from distribution.batch import ProvenClaim
from distribution.database import Database
from distribution.errors import RelayDatabaseMismatch
from distribution.journal import now
from distribution.relay_claims import (
    ClaimRow,
    ClaimState,
    RelayBase,
    RelayedClaim,
    VersionRow,
    Waiting,
    claim_of,
    hex_of,
    new_claim,
    row_of,
)
from distribution.sent import SentRow, SentState

VERSION = 2


class RelayStore:
    """Reads and writes claims for one deployment.

    Raises:
        RelayDatabaseMismatch: the database was made by another version.
        JournalUnavailable: here and out of every method, the database failed.
    """

    def __init__(self, database: Database, deployment: str) -> None:
        self._database = Database(database.engine, RelayBase)
        self._deployment = deployment
        self._ours = ClaimRow.deployment == deployment
        with self._database.write() as connection:
            found = connection.scalar(select(VersionRow.version))
            if found is None:
                connection.execute(insert(VersionRow), {"version": VERSION})
        if found not in {None, VERSION}:
            raise RelayDatabaseMismatch(
                f"the relayer's database is of version {found}, this program's is {VERSION}: let "
                "the program that made it pay what waits, then move the database away"
            )

    def find_all(self, nullifiers: Collection[int]) -> dict[int, RelayedClaim]:
        """The claims that are kept with these nullifiers."""
        if not nullifiers:
            return {}
        return {claim.proven.nullifier: claim for claim in self._select(_named(nullifiers))}

    def get_all(self, identifiers: Collection[str]) -> dict[str, RelayedClaim]:
        """The claims that have these ids."""
        return {claim.id: claim for claim in self._select(ClaimRow.id.in_(identifiers))}

    def add_all(self, asked: Sequence[tuple[int, ProvenClaim, int]]) -> dict[int, RelayedClaim]:
        """Queue claims, in one transaction; of one that is there already, that one is returned.

        One that failed is queued again, on the terms that it comes with now.

        Args:
            asked: epochs, claims, and blocks after which these were not paid.

        Returns:
            What is kept now, by nullifier.
        """
        if not asked:
            return {}
        with self._database.write() as connection:
            found = self._read(connection, _named([claim.nullifier for _, claim, _ in asked]))
            known = {claim.proven.nullifier: claim for claim in found}
            last = connection.scalar(select(func.max(ClaimRow.sequence))) or 0
            added: list[RelayedClaim] = []
            for epoch, claim, block in asked:
                before = known.get(claim.nullifier)
                if before is None or before.state is ClaimState.FAILED:
                    queued = new_claim(before, last + len(added) + 1, epoch, claim, block)
                    known[claim.nullifier] = queued
                    added.append(queued)
            if added:
                connection.execute(delete(ClaimRow).where(self._ours, _among(added)))
                connection.execute(
                    insert(ClaimRow), [row_of(claim, self._deployment) for claim in added]
                )
        return known

    def waiting(self) -> list[Waiting]:
        """What waits, by epoch."""
        query = (
            select(
                ClaimRow.epoch,
                func.count().label("claims"),
                func.min(ClaimRow.received_at).label("since"),
                func.min(ClaimRow.sequence).label("first"),
            )
            .where(self._ours, ClaimRow.state == ClaimState.QUEUED.value)
            .group_by(ClaimRow.epoch)
            .order_by(ClaimRow.epoch)
        )
        with self._database.read() as connection:
            return [Waiting(*row) for row in connection.execute(query)]

    def queued(self, epoch: int, after: int, most: int) -> list[RelayedClaim]:
        """Those of an epoch that wait, oldest first.

        Args:
            after: a sequence number.
        """
        waits = (ClaimRow.state == ClaimState.QUEUED.value, ClaimRow.epoch == epoch)
        return self._select(*waits, ClaimRow.sequence > after, most=most)

    def count_queued(self) -> int:
        query = select(func.count()).where(self._ours, ClaimRow.state == ClaimState.QUEUED.value)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def in_transaction(self, identifier: int) -> list[RelayedClaim]:
        return self._select(ClaimRow.transaction_id == identifier)

    def to_settle(self) -> list[int]:
        """Transactions whose claims wait for them, and that are final or never will be."""
        waited = select(ClaimRow.transaction_id).where(
            self._ours, ClaimRow.state == ClaimState.SENT.value
        )
        with self._database.read() as connection:
            ended = select(SentRow.id).where(
                SentRow.id.in_(set(connection.scalars(waited.distinct()))),
                SentRow.state.in_([SentState.FINAL.value, SentState.DISPLACED.value]),
            )
            return sorted(connection.scalars(ended))

    def to_reopen(self) -> list[int]:
        """Transactions that a reorg undid after their claims were settled."""
        open_ones = select(SentRow.id).where(
            SentRow.state.in_([SentState.SIGNED.value, SentState.INCLUDED.value])
        )
        with self._database.read() as connection:
            settled = select(ClaimRow.transaction_id).where(
                self._ours,
                ClaimRow.transaction_id.in_(set(connection.scalars(open_ones))),
                ClaimRow.state.in_([ClaimState.FINALISED.value, ClaimState.FAILED.value]),
            )
            return sorted(one for one in connection.scalars(settled.distinct()) if one is not None)

    def assign(self, claims: Sequence[RelayedClaim], connection: Connection, to: int) -> None:
        """Note, in the transaction that keeps it, which transaction pays these claims."""
        self._set(connection, claims, state=ClaimState.SENT.value, transaction_id=to)

    def reopen(self, transaction: int) -> None:
        """Its claims wait for it again."""
        self._update(
            ClaimRow.transaction_id == transaction,
            state=ClaimState.SENT.value,
            code=None,
            settled_at=None,
        )

    def requeue(
        self, claims: Sequence[RelayedClaim], *, alone: bool = False, suspect: bool = False
    ) -> None:
        """Have them wait again; `alone` and `suspect` as of a claim, which once set stay so."""
        marks = {name: True for name, is_set in (("alone", alone), ("suspect", suspect)) if is_set}
        self._update(_among(claims), state=ClaimState.QUEUED.value, transaction_id=None, **marks)

    def finalise(self, claims: Sequence[RelayedClaim]) -> None:
        with self._database.write() as connection:
            self._set(
                connection, claims, state=ClaimState.FINALISED.value, settled_at=now(), code=None
            )

    def fail(self, claims: Sequence[RelayedClaim], code: str) -> None:
        with self._database.write() as connection:
            self._set(
                connection, claims, state=ClaimState.FAILED.value, settled_at=now(), code=code
            )

    def forget(self, before: int) -> None:
        """Delete what was settled before, seconds since 1970."""
        with self._database.write() as connection:
            connection.execute(delete(ClaimRow).where(self._ours, ClaimRow.settled_at < before))

    def _set(self, connection: Connection, claims: Sequence[RelayedClaim], **values: Any) -> None:
        """One statement for each: a list of a hundred ids takes longer to write down."""
        if claims:
            query = update(ClaimRow.__table__).where(ClaimRow.id == bindparam("which"))  # type: ignore[arg-type]
            connection.execute(query.values(values), [{"which": claim.id} for claim in claims])

    def _update(self, where: Any, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(ClaimRow).where(self._ours, where).values(values))

    def _select(self, *where: Any, most: int | None = None) -> list[RelayedClaim]:
        with self._database.read() as connection:
            return self._read(connection, *where, most=most)

    def _read(
        self, connection: Connection, *where: Any, most: int | None = None
    ) -> list[RelayedClaim]:
        query = select(ClaimRow.__table__).where(self._ours, *where).order_by(ClaimRow.sequence)
        return [claim_of(row) for row in connection.execute(query.limit(most))]


def _among(claims: Sequence[RelayedClaim]) -> Any:
    return ClaimRow.id.in_([claim.id for claim in claims])


def _named(nullifiers: Collection[int]) -> Any:
    return ClaimRow.nullifier.in_([hex_of(nullifier) for nullifier in nullifiers])
