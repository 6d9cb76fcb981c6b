"""The first way to sign in: passkeys (W3C Web Authentication, level 3).

A passkey is discoverable and verifies its user (a fingerprint, a PIN), so that nobody types a name,
and it is bound to the console's own address, so that no other page can ask for it.
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from console.address import Origin
from console.errors import PasskeyRefused, SignInRefused
from console.operators import Clock, Operator
from console.schema import Base, ChallengeRow, PasskeyRow
from enrollment.database import Database

NAME: Final = "personhood console"
_LIFETIME: Final = 300  # seconds of a challenge
_CHALLENGE: Final = 32  # bytes

Options = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Passkey:
    """A registered passkey, to be shown to its operator."""

    id: str  # hex
    added_at: int


class PasskeyStore:
    """Makes challenges, and takes the browser's answers.

    Args:
        engine: SQLAlchemy engine of a SQLite or PostgreSQL database; tables are made if absent.

    Raises:
        EnrollmentStoreUnavailable: here and in every method, the database failed.
    """

    def __init__(self, engine: Engine, clock: Clock = time.time) -> None:
        self._database = Database(engine, Base.metadata)
        self._clock = clock

    def creation_options(self, operator: Operator, origin: Origin) -> Options:
        """Give `navigator.credentials.create()` what it makes an operator's passkey of."""
        options = generate_registration_options(
            rp_id=origin.host_name,
            rp_name=NAME,
            user_id=bytes.fromhex(operator.id),
            user_name=operator.name,
            challenge=self._challenge(f"create {operator.id}"),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=bytes.fromhex(passkey.id))
                for passkey in self.of(operator)
            ],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return dict(json.loads(options_to_json(options)))

    def request_options(self, origin: Origin) -> Options:
        """Give `navigator.credentials.get()` what a passkey has to sign."""
        options = generate_authentication_options(
            rp_id=origin.host_name,
            challenge=self._challenge("get"),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(options_to_json(options)))

    def verify_new(self, operator: Operator, origin: Origin, answer: Answer) -> dict[str, object]:
        """Check what `create()` answered, and give the row of the passkey.

        Raises:
            PasskeyRefused: it is no answer to a challenge for this operator.
        """
        try:
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=self._answered(answer, f"create {operator.id}"),
                expected_rp_id=origin.host_name,
                expected_origin=origin.text,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise PasskeyRefused("This passkey could not be registered. Try again.") from None
        return {
            "id": verified.credential_id,
            "operator_id": operator.id,
            "public_key": verified.credential_public_key,
            "sign_count": verified.sign_count,
            "added_at": int(self._clock()),
        }

    def add(self, row: dict[str, object], connection: Connection | None = None) -> None:
        """Keep a passkey that `verify_new` checked, in a transaction under way if there is one.

        Raises:
            PasskeyRefused: it is registered already.
        """
        if connection is None:
            with self._database.write() as own:
                return self.add(row, own)
        try:
            connection.execute(insert(PasskeyRow), row)
        except IntegrityError:
            raise PasskeyRefused("This passkey is registered already.") from None
        return None

    def verify(self, origin: Origin, answer: Answer) -> str:
        """Check what `get()` answered, and give the id of the operator whose passkey signed.

        Raises:
            SignInRefused: no passkey known here signed this challenge.
        """
        refused = SignInRefused("This passkey is not known here. Use another one.")
        try:
            credential_id = base64url_to_bytes(answer["id"])
            challenge = self._answered(answer, "get")
            query = select(
                PasskeyRow.operator_id, PasskeyRow.public_key, PasskeyRow.sign_count
            ).where(PasskeyRow.id == credential_id)
            with self._database.read() as connection:
                row = connection.execute(query).one_or_none()
            if row is None:
                raise refused
            operator_id, public_key, sign_count = row
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=origin.host_name,
                expected_origin=origin.text,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, PasskeyRefused, ValueError, KeyError, TypeError):
            raise refused from None
        with self._database.write() as connection:
            connection.execute(
                update(PasskeyRow)
                .where(PasskeyRow.id == credential_id)
                .values(sign_count=verified.new_sign_count)
            )
        return str(operator_id)

    def of(self, operator: Operator) -> tuple[Passkey, ...]:
        """List an operator's passkeys, the oldest first."""
        query = (
            select(PasskeyRow.id, PasskeyRow.added_at)
            .where(PasskeyRow.operator_id == operator.id)
            .order_by(PasskeyRow.added_at, PasskeyRow.id)
        )
        with self._database.read() as connection:
            return tuple(
                Passkey(key.hex(), added_at) for key, added_at in connection.execute(query)
            )

    def _challenge(self, purpose: str) -> bytes:
        now, challenge = int(self._clock()), secrets.token_bytes(_CHALLENGE)
        row = {"digest": _digest(challenge), "purpose": purpose, "expires_at": now + _LIFETIME}
        with self._database.write() as connection:
            connection.execute(delete(ChallengeRow).where(ChallengeRow.expires_at < now))
            connection.execute(insert(ChallengeRow), row)
        return challenge

    def _answered(self, answer: Answer, purpose: str) -> bytes:
        """Take the challenge that an answer is for, once."""
        client_data = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(client_data["challenge"])
        with self._database.write() as connection:
            taken = connection.execute(
                delete(ChallengeRow).where(
                    ChallengeRow.digest == _digest(challenge),
                    ChallengeRow.purpose == purpose,
                    ChallengeRow.expires_at > self._clock(),
                )
            )
        if taken.rowcount != 1:
            raise PasskeyRefused("This took too long. Try again.")
        return challenge


def _digest(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
