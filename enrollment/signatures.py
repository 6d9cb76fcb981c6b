"""Kiosks' requests are signed: HTTP Message Signatures (RFC 9421) with Ed25519.

The signature covers method, path, content type, a digest of the body (RFC 9530) and the
idempotency key, and holds from `created` to `expires`, once: its nonce is remembered until then.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from enrollment.errors import (
    ClockSkewed,
    EnrollmentError,
    SignatureExpired,
    SignatureInvalid,
    SignatureMissing,
)
from enrollment.kiosks import Kiosk, KioskRegistry

TAG: Final = "personhood-kiosk"
LABEL: Final = "kiosk"
LIFETIME: Final = 120  # seconds from `created` to `expires`, as our own kiosks sign
MAX_LIFETIME: Final = 300  # the longest that is taken
MAX_SKEW: Final = 60  # seconds that a kiosk's clock may be ahead or behind

_COVERED = ("@method", "@path", "content-type", "content-digest")
_IDEMPOTENCY_KEY = "idempotency-key"
_NONCE_BYTES = 16
_MIN_NONCE, _MAX_NONCE = 16, 100  # characters


@dataclass(frozen=True)
class SignedMessage:
    """The part of a request that a signature may cover.

    Args:
        method: upper case.
        url: absolute; only its path is covered, so that a proxy may change the host.
        headers: names of any case.
    """

    method: str
    url: str
    headers: dict[str, str]


class SignatureVerifier:
    """Tells which kiosk sent a request, or refuses it.

    Args:
        kiosks: who is registered, and which requests came before.
        clock: Unix seconds.
    """

    def __init__(self, kiosks: KioskRegistry, clock: Callable[[], float] = time.time) -> None:
        self._kiosks = kiosks
        self._clock = clock

    def verify(self, message: SignedMessage) -> Kiosk:
        """Authenticate a request; the same signed request is taken once.

        Its body is not looked at, and need not have been read: `require_digest` comes after.

        Raises:
            SignatureMissing: no signature, or one without times and nonce.
            SignatureInvalid: the signature is wrong, or covers too little.
            KioskUnknown, KioskRevoked: nobody, or nobody any more, to take requests from.
            ClockSkewed, SignatureExpired: genuine, but made in the future or too long ago.
            RequestReplayed: it came before.
        """
        headers = {name.lower(): value for name, value in message.headers.items()}
        if "signature" not in headers or "signature-input" not in headers:
            raise SignatureMissing("Sign the request with the key of a registered kiosk.")
        covered = _COVERED + ((_IDEMPOTENCY_KEY,) if _IDEMPOTENCY_KEY in headers else ())
        resolver = _RegisteredKeys(self._kiosks)
        try:
            results = _Verifier(signature_algorithm=ED25519, key_resolver=resolver).verify(
                SignedMessage(message.method, message.url, headers),
                expect_tag=TAG,
                max_age=None,
                require_components=covered,
            )
        except HTTPMessageSignaturesException as error:
            if isinstance(error.__cause__, EnrollmentError):
                raise error.__cause__ from None  # of the registry: unknown, revoked, no database
            raise SignatureInvalid(
                "The signature is not this kiosk's signature over this request."
            ) from None
        if len(results) != 1 or resolver.kiosk is None:
            raise SignatureInvalid("Sign the request once.")
        expires, nonce = self._require_timely(results[0].parameters)
        self._kiosks.remember(resolver.kiosk, nonce, expires + MAX_SKEW)
        return resolver.kiosk

    def _require_timely(self, parameters: Mapping[str, Any]) -> tuple[int, str]:
        created, expires = parameters.get("created"), parameters.get("expires")
        nonce = parameters.get("nonce")
        if created is None or expires is None or nonce is None:
            raise SignatureMissing("A kiosk's signature has created, expires and nonce.")
        if not _MIN_NONCE <= len(nonce) <= _MAX_NONCE or not 0 < expires - created <= MAX_LIFETIME:
            raise SignatureInvalid(
                f"A kiosk's signature holds for at most {MAX_LIFETIME} seconds and has a nonce of "
                f"{_MIN_NONCE} to {_MAX_NONCE} characters."
            )
        now = int(self._clock())
        if created > now + MAX_SKEW:
            raise ClockSkewed(f"This kiosk's clock is {created - now} seconds ahead. Set it.")
        if created < now - MAX_LIFETIME - MAX_SKEW:
            raise ClockSkewed(f"This kiosk's clock is {now - created} seconds behind. Set it.")
        if expires < now - MAX_SKEW:
            raise SignatureExpired("The request took too long. Sign it again and send it again.")
        return expires, nonce


def require_digest(content_digest: str, body: bytes) -> None:
    """Check a body against its signed Content-Digest.

    Raises:
        SignatureInvalid: it is another body than the one that was signed.
    """
    try:
        ContentDigest.verify(content_digest, body)
    except HTTPMessageSignaturesException:
        raise SignatureInvalid("The body is not the one that the kiosk signed.") from None


def sign(
    method: str,
    url: str,
    body: bytes,
    *,
    kiosk_id: str,
    key: Ed25519PrivateKey,
    headers: Mapping[str, str],
    created: float | None = None,
) -> dict[str, str]:
    """Sign a request as a kiosk does.

    Args:
        method: upper case.
        url: absolute.
        body: exactly as it will be sent.
        kiosk_id: as registered.
        key: the kiosk's.
        headers: at least Content-Type; an Idempotency-Key in it is covered.
        created: Unix seconds; now where not given.

    Returns:
        All headers to send: those given, and Content-Digest, Signature-Input, Signature.
    """
    signed = {name.lower(): value for name, value in headers.items()}
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    signed["content-digest"] = f"sha-256=:{digest}:"
    covered = _COVERED + ((_IDEMPOTENCY_KEY,) if _IDEMPOTENCY_KEY in signed else ())
    start = datetime.fromtimestamp(int(created if created is not None else time.time()), UTC)
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OwnKey(key)).sign(
        SignedMessage(method, url, signed),
        key_id=kiosk_id,
        created=start,
        expires=start + timedelta(seconds=LIFETIME),
        nonce=secrets.token_urlsafe(_NONCE_BYTES),
        label=LABEL,
        tag=TAG,
        covered_component_ids=covered,
        body=body,
        use_existing_digest=True,
    )
    return signed


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Nothing yet: times are looked at when the signature holds, to tell a kiosk its skew."""


class _RegisteredKeys(HTTPSignatureKeyResolver):
    def __init__(self, kiosks: KioskRegistry) -> None:
        self._kiosks = kiosks
        self.kiosk: Kiosk | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        self.kiosk = self._kiosks.find(key_id)
        return Ed25519PublicKey.from_public_bytes(self.kiosk.public_key)


class _OwnKey(HTTPSignatureKeyResolver):
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002
        return self._key
