"""The second way to sign in: a password and a one-time password together.

Passwords are hashed by Argon2id with the parameters of RFC 9106 for constrained memory (64 MiB);
one-time passwords are those of RFC 6238, and each is taken once.
"""

import threading
import time
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, insert, select, update

from console.errors import PasswordTooWeak, SignInRefused
from console.operators import Clock, Invitation, Operator, secret_context
from console.schema import Base, PasswordRow
from enrollment.database import Database
from uniqueness.sealing import Keyring, SealedRecord

MIN_PASSWORD: Final = 12  # characters
MAX_PASSWORD: Final = 200
ISSUER: Final = "personhood console"
_STEP: Final = 30  # seconds a one-time password is for
_DRIFT: Final = 1  # steps that a telephone's clock may be off
Hasher = PasswordHasher  # for who puts the stores together: the library stays in here
_HASHES_AT_A_TIME: Final = 2  # each takes 64 MiB


class PasswordStore:
    """Reads and writes passwords; safe to call from many threads.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.
        keyring: opens the secrets of one-time passwords.
        hasher: with the cost that a hash is to have.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        clock: Clock = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = Database(engine, Base.metadata)
        self._keyring = keyring
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._hashing = threading.BoundedSemaphore(_HASHES_AT_A_TIME)
        # Whoever has no password is checked against this, so that it takes as long.
        self._nobodys_hash = self._hasher.hash(draw_secret())
        self._nobodys_secret = draw_secret()

    def secret(self, invitation: Invitation) -> str:
        """Open the one-time-password secret that goes with an invitation, base32."""
        return self._open(invitation.operator, invitation.sealed_secret)

    def set(self, connection: Connection, invitation: Invitation, password: str, code: str) -> None:
        """Give an operator a password, in the transaction that uses up the invitation.

        Raises:
            PasswordTooWeak: it is too short, or made of a few letters.
            SignInRefused: the one-time password is not the secret's.
        """
        require_strong(password, invitation.operator.name)
        step = self._step_of(self.secret(invitation), code)
        if step is None:
            raise SignInRefused("The six digits do not fit. Check the telephone's clock.")
        with self._hashing:
            password_hash = self._hasher.hash(password)
        sealed = invitation.sealed_secret
        connection.execute(
            insert(PasswordRow),
            {
                "operator_id": invitation.operator.id,
                "password_hash": password_hash,
                "key_id": sealed.key_id,
                "nonce": sealed.nonce,
                "ciphertext": sealed.ciphertext,
                "last_step": step,
            },
        )

    def check(self, operator: Operator | None, password: str, code: str) -> bool:
        """Whether both are right; takes as long for an operator whom nobody knows."""
        row = self._row(operator)
        expected = row.password_hash if row else self._nobodys_hash
        secret = (
            self._open(operator, SealedRecord(row.key_id, row.nonce, row.ciphertext))
            if row and operator
            else self._nobodys_secret
        )
        is_password = self._matches(expected, password)
        step = self._step_of(secret, code)
        if row is None or operator is None or not is_password or step is None:
            return False
        return self._take(operator, step)

    def has(self, operator: Operator) -> bool:
        """Whether this operator has a password."""
        return self._row(operator) is not None

    def _row(self, operator: Operator | None):  # type: ignore[no-untyped-def]  # SQLAlchemy's row
        operator_id = operator.id if operator else ""
        query = select(PasswordRow.__table__).where(PasswordRow.operator_id == operator_id)
        with self._database.read() as connection:
            return connection.execute(query).one_or_none()

    def _matches(self, expected: str, password: str) -> bool:
        if len(password) > MAX_PASSWORD:
            return False
        with self._hashing:
            try:
                return self._hasher.verify(expected, password)
            except (VerificationError, InvalidHashError):
                return False

    def _step_of(self, secret: str, code: str) -> int | None:
        """Find the time step that a one-time password is for, near now."""
        totp, digits = pyotp.TOTP(secret, interval=_STEP), "".join(code.split())
        now = int(self._clock()) // _STEP
        steps = range(now - _DRIFT, now + _DRIFT + 1)
        # Every step is compared, so that the time taken does not tell which one it was.
        right = [step for step in steps if _equal(totp.generate_otp(step), digits)]
        return right[0] if right else None

    def _take(self, operator: Operator, step: int) -> bool:
        """Take a one-time password, once: an earlier or the same one is refused from now on."""
        with self._database.write() as connection:
            taken = connection.execute(
                update(PasswordRow)
                .where(PasswordRow.operator_id == operator.id, PasswordRow.last_step < step)
                .values(last_step=step)
            )
        return taken.rowcount == 1

    def _open(self, operator: Operator, sealed: SealedRecord) -> str:
        return self._keyring.open(sealed, context=secret_context(operator)).decode()


def draw_secret() -> str:
    """Draw the secret of one operator's one-time passwords: 160 random bits, base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, name: str) -> str:
    """Give what an authenticator app scans."""
    return pyotp.TOTP(secret, interval=_STEP).provisioning_uri(name=name, issuer_name=ISSUER)


def require_strong(password: str, name: str) -> None:
    """Refuse a password that is easily guessed; length counts, not kinds of letters.

    Raises:
        PasswordTooWeak: see the message.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise PasswordTooWeak(
            f"Choose a password of at least {MIN_PASSWORD} characters, such as four words."
        )
    if len(set(password.lower())) < 5 or name.lower() in password.lower():
        raise PasswordTooWeak("Choose a password with more different letters, without your name.")


def _equal(expected: str, given: str) -> bool:
    return pyotp.utils.strings_equal(expected, given)
