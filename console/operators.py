"""Who may use the console: operators, their roles, and the one-time codes they sign up with.

Nobody exists until somebody at the command line adds them. An operator who lost every way to sign
in is invited again: what they signed in with before ends when the new code is used.
"""

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Engine, Row, Select, delete, insert, select, update

from console.errors import (
    FormInvalid,
    OperatorInvitationInvalid,
    OperatorNameTaken,
    OperatorUnknown,
)
from console.schema import (
    Base,
    OperatorInvitationRow,
    OperatorRow,
    PasskeyRow,
    PasswordRow,
    SessionRow,
)
from enrollment.database import Database
from enrollment.kiosks import random_code
from uniqueness.sealing import Keyring, SealedRecord

INVITATION_LIFETIME: Final = 24 * 3600  # seconds
MAX_NAME: Final = 60

Clock = Callable[[], float]


class Role(StrEnum):
    """What an operator is there for; one role each."""

    AUDITOR = "auditor"
    ADJUDICATOR = "adjudicator"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a page or a form asks for."""

    READ = "read the console"
    AUDIT = "read what operators did"
    DECIDE = "decide cases"
    CONFIGURE = "change kiosks and operators"


# Whoever appoints operators does not decide cases, and whoever decides does not appoint.
ALLOWED: Final[dict[Role, frozenset[Permission]]] = {
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
    Role.ADJUDICATOR: frozenset({Permission.READ, Permission.DECIDE}),
    Role.ADMIN: frozenset({Permission.READ, Permission.AUDIT, Permission.CONFIGURE}),
}


@dataclass(frozen=True)
class Operator:
    """Somebody who may sign in.

    Args:
        id: random, 32 hex digits; also the user handle of passkeys.
        name: 1 to 60 characters, unique.
        added_at: Unix seconds.
        disabled_at: Unix seconds, or None while they may sign in.
    """

    id: str
    name: str
    role: Role
    added_at: int
    disabled_at: int | None

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in ALLOWED[self.role]


@dataclass(frozen=True)
class Invitation:
    """A valid sign-up code: whose it is, and the one-time-password secret offered with it."""

    operator: Operator
    sealed_secret: SealedRecord


class OperatorRegistry:
    """Reads and writes operators and their invitations.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        keyring: seals the secrets of one-time passwords.
        draw_secret: draws such a secret.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        draw_secret: Callable[[], str],
        clock: Clock = time.time,
    ) -> None:
        self._database = Database(engine, Base.metadata)
        self._keyring = keyring
        self._draw_secret = draw_secret
        self._clock = clock

    def add(self, name: str, role: Role) -> str:
        """Add an operator and give the one-time code with which they sign up within a day.

        Raises:
            OperatorNameTaken: there is one of this name.
            FormInvalid: the name cannot be used.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise FormInvalid(f"Give a name of 1 to {MAX_NAME} characters.")
        operator = Operator(uuid.uuid4().hex, name, role, int(self._clock()), None)
        with self._database.write() as connection:
            if connection.scalar(select(OperatorRow.id).where(OperatorRow.name == name)):
                raise OperatorNameTaken(
                    f"There is an operator named {name}. Choose another name, or invite them again."
                )
            connection.execute(
                insert(OperatorRow),
                {
                    "id": operator.id,
                    "name": name,
                    "role": role.value,
                    "added_at": operator.added_at,
                    "disabled_at": None,
                },
            )
            return self._invite(connection, operator)

    def invite_again(self, name: str) -> str:
        """Give a new one-time code to an operator who cannot sign in any more.

        Raises:
            OperatorUnknown: no operator who may sign in has this name.
        """
        with self._database.write() as connection:
            operator = _named(connection, name)
            if operator.disabled_at is not None:
                raise OperatorUnknown(f"{name} was disabled. Add an operator of another name.")
            return self._invite(connection, operator)

    def all(self) -> tuple[Operator, ...]:
        """List every operator, disabled ones too, in the order of their coming."""
        query = _select().order_by(OperatorRow.added_at, OperatorRow.name)
        with self._database.read() as connection:
            return tuple(_operator(row) for row in connection.execute(query))

    def active_named(self, name: str) -> Operator | None:
        """Find an operator who may sign in, by name."""
        return self._find(_select().where(OperatorRow.name == name))

    def active(self, operator_id: str) -> Operator | None:
        """Find an operator who may sign in, by id."""
        return self._find(_select().where(OperatorRow.id == operator_id))

    def disable(self, name: str) -> None:
        """End an operator's sessions and ways to sign in, now; twice is no error.

        Raises:
            OperatorUnknown: no operator has this name.
        """
        with self._database.write() as connection:
            operator = _named(connection, name)
            _forget_sign_in(connection, operator.id)
            connection.execute(
                update(OperatorRow)
                .where(OperatorRow.id == operator.id, OperatorRow.disabled_at.is_(None))
                .values(disabled_at=int(self._clock()))
            )

    def invitation(self, code: str) -> Invitation:
        """Look at an invitation without using it up.

        Raises:
            OperatorInvitationInvalid: the code is unknown, used or expired.
        """
        with self._database.read() as connection:
            return self._valid(connection, code)

    @contextmanager
    def joining(self, code: str) -> Iterator[tuple[Connection, Invitation]]:
        """Use up an invitation in one transaction with what the operator will sign in with.

        What they signed in with before ends. Where the block raises, nothing has happened.

        Raises:
            OperatorInvitationInvalid: the code is unknown, used or expired.
        """
        with self._database.write() as connection:
            invitation = self._valid(connection, code)
            _forget_sign_in(connection, invitation.operator.id)
            yield connection, invitation

    def _invite(self, connection: Connection, operator: Operator) -> str:
        code = random_code()
        secret = self._draw_secret().encode()
        sealed = self._keyring.seal(secret, context=secret_context(operator))
        _withdraw_invitation(connection, operator.id)
        connection.execute(
            insert(OperatorInvitationRow),
            {
                "code_digest": _digest(code),
                "operator_id": operator.id,
                "expires_at": int(self._clock()) + INVITATION_LIFETIME,
                "key_id": sealed.key_id,
                "nonce": sealed.nonce,
                "ciphertext": sealed.ciphertext,
            },
        )
        return code

    def _valid(self, connection: Connection, code: str) -> Invitation:
        row = connection.execute(
            select(OperatorInvitationRow.__table__).where(
                OperatorInvitationRow.code_digest == _digest(code.strip().upper()),
                OperatorInvitationRow.expires_at > self._clock(),
            )
        ).one_or_none()
        if row is None:
            raise OperatorInvitationInvalid(
                "This code is unknown, used or expired. Ask for a new one."
            )
        found = connection.execute(_select().where(OperatorRow.id == row.operator_id)).one()
        return Invitation(_operator(found), SealedRecord(row.key_id, row.nonce, row.ciphertext))

    def _find(self, query: Select[str, str, str, int, int | None]) -> Operator | None:
        with self._database.read() as connection:
            row = connection.execute(query.where(OperatorRow.disabled_at.is_(None))).one_or_none()
        return _operator(row) if row else None


def secret_context(operator: Operator) -> bytes:
    """What the seal of an operator's one-time-password secret is bound to."""
    return f"operator one-time passwords\0{operator.id}".encode()


def _forget_sign_in(connection: Connection, operator_id: str) -> None:
    _withdraw_invitation(connection, operator_id)
    for table in (PasskeyRow, PasswordRow, SessionRow):
        connection.execute(delete(table).where(table.operator_id == operator_id))


def _withdraw_invitation(connection: Connection, operator_id: str) -> None:
    invitation = OperatorInvitationRow.operator_id == operator_id
    connection.execute(delete(OperatorInvitationRow).where(invitation))


def _named(connection: Connection, name: str) -> Operator:
    row = connection.execute(_select().where(OperatorRow.name == name)).one_or_none()
    if row is None:
        raise OperatorUnknown(f"No operator is named {name}. See `personhood operator list`.")
    return _operator(row)


def _select() -> Select[str, str, str, int, int | None]:
    return select(
        OperatorRow.id,
        OperatorRow.name,
        OperatorRow.role,
        OperatorRow.added_at,
        OperatorRow.disabled_at,
    )


def _operator(row: Row[str, str, str, int, int | None]) -> Operator:
    operator_id, name, role, added_at, disabled_at = row
    return Operator(operator_id, name, Role(role), added_at, disabled_at)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
