"""Which kiosks may enrol: invitations, device keys, revocation, and requests seen before.

An operator invites a kiosk with a one-time code; the kiosk makes an Ed25519 key that never leaves
it and registers the public half. From then on it signs every request (`enrollment.signatures`).
"""

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import (
    BigInteger,
    Engine,
    LargeBinary,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.database import Base, Database
from enrollment.errors import (
    InvitationInvalid,
    KioskNameTaken,
    KioskRevoked,
    KioskUnknown,
    RequestReplayed,
)
from enrollment.every_minute import EveryMinute

INVITATION_LIFETIME = 24 * 3600  # seconds
SEEN_EVERY = 60  # seconds between two notes that a kiosk was seen
PUBLIC_KEY_BYTES = 32

_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 letters, none to be taken for another


class InvitationRow(Base):
    """An invitation not used yet; the code itself is not kept."""

    __tablename__ = "kiosk_invitations"

    code_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)  # Unix seconds
    invited_by: Mapped[str | None] = mapped_column(String(60))


class KioskRow(Base):
    """A registered kiosk; a revoked one keeps its row, so that its name tells who it was."""

    __tablename__ = "kiosks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    registered_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    last_seen_at: Mapped[int | None] = mapped_column(BigInteger)
    invited_by: Mapped[str | None] = mapped_column(String(60))


class SeenRequestRow(Base):
    """A signed request taken before, kept until its signature has expired."""

    __tablename__ = "kiosk_requests"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # of kiosk and nonce
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


@dataclass(frozen=True)
class Kiosk:
    """A registered device.

    Args:
        id: random, the `keyid` of its signatures.
        name: the operator's, 1 to 60 characters.
        public_key: 32 bytes, Ed25519.
        registered_at: Unix seconds.
        revoked_at: Unix seconds, or None while it may enrol.
        last_seen_at: Unix seconds of its last signed request, to a minute, or None before the
            first.
        invited_by: name of the operator whose code it used; empty where that was made at the
            command line.
    """

    id: str
    name: str
    public_key: bytes
    registered_at: int
    revoked_at: int | None
    last_seen_at: int | None = field(default=None, compare=False)
    invited_by: str = ""


class KioskRegistry:
    """Reads and writes kiosks.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)
        self._tidying = EveryMinute()

    def invite(self, name: str, *, by: str = "", lifetime: int = INVITATION_LIFETIME) -> str:
        """Make a one-time code for a new kiosk; a code given before for this name is void.

        Args:
            by: name of the operator who answers for the kiosk; empty at the command line.

        Raises:
            KioskNameTaken: a kiosk of this name is registered, or the name is unusable.
        """
        if not 1 <= len(name) <= 60 or not name.isprintable():
            raise KioskNameTaken("A kiosk's name has 1 to 60 printable characters.")
        code = random_code()
        row = {
            "code_digest": _digest(code),
            "name": name,
            "expires_at": int(time.time()) + lifetime,
            "invited_by": by or None,
        }
        with self._database.write() as connection:
            if connection.scalar(select(KioskRow.id).where(KioskRow.name == name)):
                raise KioskNameTaken(f"A kiosk named {name} is registered. Choose another name.")
            connection.execute(delete(InvitationRow).where(InvitationRow.name == name))
            connection.execute(insert(InvitationRow), row)
        return code

    def register(self, code: str, public_key: bytes) -> Kiosk:
        """Use up a code and take the kiosk's public key.

        Raises:
            InvitationInvalid: the code is unknown, used or expired, or the key is no new one.
        """
        _require_ed25519(public_key)
        now = int(time.time())
        digest = _digest(code.strip().upper())
        with self._database.write() as connection:
            invited = connection.execute(
                delete(InvitationRow)
                .where(InvitationRow.code_digest == digest, InvitationRow.expires_at > now)
                .returning(InvitationRow.name, InvitationRow.invited_by)
            ).one_or_none()
            if invited is None:
                raise InvitationInvalid(
                    "This code is unknown, used or expired. Ask the operator for a new one."
                )
            if connection.scalar(select(KioskRow.id).where(KioskRow.public_key == public_key)):
                raise InvitationInvalid("This key is registered. The kiosk must make a new one.")
            name, by = invited
            kiosk = Kiosk(uuid.uuid4().hex, name, public_key, now, None, invited_by=by or "")
            connection.execute(
                insert(KioskRow),
                {
                    "id": kiosk.id,
                    "name": name,
                    "public_key": public_key,
                    "registered_at": now,
                    "revoked_at": None,
                    "invited_by": by,
                },
            )
        return kiosk

    def find(self, kiosk_id: str) -> Kiosk:
        """Find a kiosk that may enrol, as of now.

        Raises:
            KioskUnknown: no kiosk has this id.
            KioskRevoked: it may not enrol any more.
        """
        with self._database.read() as connection:
            row = connection.execute(_BY_ID, {"id": kiosk_id}).one_or_none()
        if row is None:
            raise KioskUnknown("This kiosk is not registered here. Register it with a new code.")
        kiosk = Kiosk(*row)
        if kiosk.revoked_at is not None:
            raise KioskRevoked("This kiosk was revoked. Ask the operator.")
        return kiosk

    def all(self) -> tuple[Kiosk, ...]:
        """List every kiosk, revoked ones too, in the order of their registration."""
        with self._database.read() as connection:
            rows = connection.execute(_select().order_by(KioskRow.registered_at, KioskRow.name))
            return tuple(Kiosk(*row) for row in rows)

    def invited(self) -> dict[str, int]:
        """List the invitations not used yet: the name, and until when, Unix seconds."""
        query = (
            select(InvitationRow.name, InvitationRow.expires_at)
            .where(InvitationRow.expires_at > int(time.time()))
            .order_by(InvitationRow.expires_at)
        )
        with self._database.read() as connection:
            return {row.name: row.expires_at for row in connection.execute(query)}

    def revoke(self, name: str) -> None:
        """Refuse a kiosk from its next request on, or void its invitation; twice is no error.

        Raises:
            KioskUnknown: neither a kiosk nor an invitation has this name.
        """
        now = int(time.time())
        with self._database.write() as connection:
            invited = connection.execute(delete(InvitationRow).where(InvitationRow.name == name))
            known = connection.scalar(select(KioskRow.id).where(KioskRow.name == name))
            if not invited.rowcount and known is None:
                raise KioskUnknown(f"No kiosk is named {name}. See `personhood kiosk list`.")
            connection.execute(
                update(KioskRow)
                .where(KioskRow.name == name, KioskRow.revoked_at.is_(None))
                .values(revoked_at=now)
            )

    def remember(self, kiosk: Kiosk, nonce: str, expires_at: int) -> None:
        """Take a signed request's nonce, once; kept until the signature has expired.

        Raises:
            RequestReplayed: it was taken before.
        """
        now = int(time.time())
        row = {"digest": _digest(f"{kiosk.id}\0{nonce}"), "expires_at": expires_at}
        # Should a power cut let a request come twice: its Idempotency-Key enrols one person once.
        with self._database.write(hasty=True) as connection:
            if self._tidying.is_due():
                connection.execute(delete(SeenRequestRow).where(SeenRequestRow.expires_at < now))
            if now - (kiosk.last_seen_at or 0) >= SEEN_EVERY:
                seen = update(KioskRow).where(KioskRow.id == kiosk.id)
                connection.execute(seen.values(last_seen_at=now))
            try:
                connection.execute(_REMEMBER, row)
            except IntegrityError:
                raise RequestReplayed(
                    "This signed request came before. Sign the request again to send it again."
                ) from None


def random_code() -> str:
    """Draw 80 random bits as text that people can read out and type: K7QX-M2PD-9RTW-4HSC."""
    groups = ("".join(secrets.choice(_CODE_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _select() -> Select[str, str, bytes, int, int | None, int | None, str]:
    return select(
        KioskRow.id,
        KioskRow.name,
        KioskRow.public_key,
        KioskRow.registered_at,
        KioskRow.revoked_at,
        KioskRow.last_seen_at,
        func.coalesce(KioskRow.invited_by, ""),
    )


def _require_ed25519(public_key: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        raise InvitationInvalid(
            f"The kiosk's public key is not an Ed25519 key of {PUBLIC_KEY_BYTES} bytes."
        ) from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# Made once: to make a statement takes SQLAlchemy longer than to run it.
_BY_ID = _select().where(KioskRow.id == bindparam("id"))
_REMEMBER = insert(SeenRequestRow)
