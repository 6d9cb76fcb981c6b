"""The tables of the console: operators, how they sign in, their sessions, what they did.

No table holds a code, a password or a session token that could be used: digests and hashes alone,
and the secret of one-time passwords sealed.
"""

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_Counter = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only in INTEGER

# All times are Unix seconds.


class Base(DeclarativeBase):
    """The tables of this package."""


class OperatorRow(Base):
    """An operator; a disabled one keeps the row, so that the trail names somebody."""

    __tablename__ = "operators"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    added_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)


class OperatorInvitationRow(Base):
    """A sign-up code not used yet, and the one-time-password secret offered with it."""

    __tablename__ = "operator_invitations"

    code_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[str] = mapped_column(String(32), unique=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class PasskeyRow(Base):
    """A WebAuthn credential."""

    __tablename__ = "operator_passkeys"

    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    operator_id: Mapped[str] = mapped_column(String(32), index=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[int] = mapped_column(BigInteger)


class PasswordRow(Base):
    """A password's hash, and the sealed secret of the one-time passwords beside it."""

    __tablename__ = "operator_passwords"

    operator_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    key_id: Mapped[str] = mapped_column(String(16))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger)  # of the last code taken: each works once


class ChallengeRow(Base):
    """A WebAuthn challenge not answered yet."""

    __tablename__ = "operator_challenges"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(60))
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class SessionRow(Base):
    """A session, by the digest of the token that the browser holds."""

    __tablename__ = "operator_sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[str] = mapped_column(String(32), index=True)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[int] = mapped_column(BigInteger)


class ActivityRow(Base):
    """One thing that an operator did or looked at."""

    __tablename__ = "operator_activity"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    sequence: Mapped[int] = mapped_column(_Counter, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    operator: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[str] = mapped_column(String(100))
