"""The coordinator's tables: whose each template is, and what the parties were told to keep.

A database of a private gallery holds no template and no share. What it decides it writes down, as
one step for the parties, in the same transaction; a party that missed a step is told it again.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from uniqueness.errors import SessionEnded
from uniqueness.private.protocol import Added, Change, Commit, Erased
from uniqueness.records import Records
from uniqueness.schema import HEAD, Base, TemplateRow
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import FloatArray
from uniqueness.transaction import GalleryTransaction


class PartyCommitRow(Base):
    """One step of the parties, by the last sequence number before it."""

    __tablename__ = "party_commits"

    head: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    batch: Mapped[str] = mapped_column(String(64))
    changes: Mapped[str] = mapped_column(Text)


class PartySessionRow(Base):
    """One row: which session may decide. Whoever opens another ends this one."""

    __tablename__ = "party_session"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    session: Mapped[str] = mapped_column(String(64))


class _LabelledRecords(Records):
    """Writes whose template a number is, and nothing of the template."""

    def __init__(self, keyring: Keyring, label: str) -> None:
        super().__init__(keyring)
        self._label = label

    def seal_template(
        self,
        sequence: int,
        person: int,
        model: str,  # noqa: ARG002 - the label names it
        vector: FloatArray,  # noqa: ARG002 - the parties have it
    ) -> dict[str, object]:
        """Make the row of a template that the parties hold."""
        row: dict[str, Any] = {"sequence": sequence, "person": person, "model": self._label}
        return row | {"key_id": None, "nonce": None, "ciphertext": None}


class Ledger:
    """What the coordinator of three parties keeps.

    Args:
        engine: of the database; tables are made if absent.
        keyring: seals who a request's answer names.
        model: whose templates are compared.
    """

    def __init__(self, engine: Engine, keyring: Keyring, model: str) -> None:
        # A gallery that looks for templates itself refuses a database with this label, and this
        # one refuses a database with templates.
        self.label = f"{model} in shares"
        self.store = GalleryStore(engine, _LabelledRecords(keyring, self.label))

    def begin(self, session: str) -> int:
        """Let one session decide, and none that was opened before; returns the head."""

        def work(transaction: GalleryTransaction) -> int:
            connection = transaction.connection
            connection.execute(delete(PartySessionRow))
            connection.execute(insert(PartySessionRow).values(id=HEAD, session=session))
            return transaction.head.last_sequence

        return self.store.commit(work)

    def missed(self, head: int) -> list[Commit]:
        """The steps after a head, in order."""
        query = select(PartyCommitRow).where(PartyCommitRow.head >= head)
        with self.store.engine.begin() as connection:
            rows = connection.execute(query.order_by(PartyCommitRow.head)).all()
        return [Commit(row.batch, row.head, _changes(row.changes)) for row in rows]

    def persons_of(self, sequences: Sequence[int]) -> dict[int, int]:
        """Whose template each number is."""
        query = select(TemplateRow.sequence, TemplateRow.person)
        with self.store.engine.begin() as connection:
            found = connection.execute(query.where(TemplateRow.sequence.in_(sequences)))
            return {row.sequence: row.person for row in found}


def require_session(connection: Connection, session: str) -> None:
    """Refuse to decide for a session that was ended; called under the gallery's lock.

    Raises:
        SessionEnded: another coordinator opened one.
    """
    if connection.scalar(select(PartySessionRow.session)) != session:
        raise SessionEnded("another service opened a session with the parties: ask again")


def write_step(connection: Connection, commit: Commit, *, done: int) -> None:
    """Write down a step of the parties, and drop those up to a head that all of them have."""
    connection.execute(delete(PartyCommitRow).where(PartyCommitRow.head < done))
    changes = [
        {"row": change.row} if isinstance(change, Added) else {"erased": change.sequences}
        for change in commit.changes
    ]
    row = {"head": commit.head, "batch": commit.batch, "changes": json.dumps(changes)}
    connection.execute(insert(PartyCommitRow).values(row))


def _changes(text: str) -> tuple[Change, ...]:
    return tuple(
        Added(change["row"]) if "row" in change else Erased(tuple(change["erased"]))
        for change in json.loads(text)
    )
