import base64
import dataclasses
import hashlib
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from enrollment.errors import (
    ClockSkewed,
    KioskRevoked,
    KioskUnauthorized,
    KioskUnknown,
    RequestReplayed,
    SignatureExpired,
    SignatureInvalid,
    SignatureMissing,
)
from enrollment.kiosks import Kiosk, KioskRegistry
from enrollment.signatures import SignatureVerifier, SignedMessage, require_digest, sign

URL = "https://enrol.example/v1/enrollments"
BODY = b'{"session_id": "1"}'
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "a key"}


@pytest.fixture
def registry(tmp_path: Path) -> KioskRegistry:
    return KioskRegistry(create_engine(f"sqlite:///{tmp_path / 'kiosks.db'}"))


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def kiosk(registry: KioskRegistry, key: Ed25519PrivateKey) -> Kiosk:
    return registry.register(registry.invite("hall"), key.public_key().public_bytes_raw())


def signed(
    kiosk: Kiosk, key: Ed25519PrivateKey, headers: dict[str, str] = HEADERS, late: float = 0
) -> SignedMessage:
    made = sign(
        "POST", URL, BODY, kiosk_id=kiosk.id, key=key, headers=headers, created=time.time() - late
    )
    return SignedMessage("POST", URL, made)


def test_a_signed_request_names_its_kiosk(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    verifier = SignatureVerifier(registry)
    assert verifier.verify(signed(kiosk, key)) == kiosk
    plain = {"Content-Type": "application/json"}
    assert verifier.verify(signed(kiosk, key, plain)) == kiosk


def test_a_proxy_may_change_the_host(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    message = dataclasses.replace(signed(kiosk, key), url="http://10.0.0.1:8000/v1/enrollments")
    assert SignatureVerifier(registry).verify(message) == kiosk


def test_anything_changed_is_noticed(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    message = signed(kiosk, key)
    other_digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    changes = [
        {"method": "PUT"},
        {"url": URL + "/other"},
        {"headers": message.headers | {"idempotency-key": "another"}},
        {"headers": message.headers | {"content-type": "text/plain"}},
        {"headers": message.headers | {"content-digest": f"sha-256=:{other_digest}:"}},
        {"headers": {k: v for k, v in message.headers.items() if k != "content-digest"}},
        {"headers": {k: v for k, v in message.headers.items() if k != "idempotency-key"}},
        {"headers": message.headers | {"signature": "kiosk=:AAAA:"}},
        {"headers": message.headers | {"signature-input": "nonsense"}},
        {"headers": message.headers | {"signature": "\x00"}},
    ]
    for change in changes:
        with pytest.raises(KioskUnauthorized):
            SignatureVerifier(registry).verify(dataclasses.replace(message, **change))
    assert SignatureVerifier(registry).verify(message) == kiosk


def test_a_body_is_checked_against_its_signed_digest(kiosk: Kiosk, key: Ed25519PrivateKey) -> None:
    digest = signed(kiosk, key).headers["content-digest"]
    require_digest(digest, BODY)
    for body in (b"other", b""):
        with pytest.raises(SignatureInvalid):
            require_digest(digest, body)
    for nonsense in ("", "sha-256=:AAAA:", "md5=:AAAA:", "sha-256"):
        with pytest.raises(SignatureInvalid):
            require_digest(nonsense, BODY)


def test_an_idempotency_key_must_be_covered(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    message = signed(kiosk, key, {"Content-Type": "application/json"})
    smuggled = dataclasses.replace(message, headers=message.headers | {"Idempotency-Key": "mine"})
    with pytest.raises(SignatureInvalid):
        SignatureVerifier(registry).verify(smuggled)


def test_an_unsigned_request_is_told_so(registry: KioskRegistry) -> None:
    with pytest.raises(SignatureMissing):
        SignatureVerifier(registry).verify(SignedMessage("POST", URL, dict(HEADERS)))


def test_another_key_is_refused(registry: KioskRegistry, kiosk: Kiosk) -> None:
    with pytest.raises(SignatureInvalid):
        SignatureVerifier(registry).verify(signed(kiosk, Ed25519PrivateKey.generate()))


def test_a_request_counts_once(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    message = signed(kiosk, key)
    SignatureVerifier(registry).verify(message)
    with pytest.raises(RequestReplayed):
        SignatureVerifier(registry).verify(message)
    assert SignatureVerifier(registry).verify(signed(kiosk, key))


def test_unknown_and_revoked_kiosks_are_told_so(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    stranger = dataclasses.replace(kiosk, id="0" * 32)
    with pytest.raises(KioskUnknown):
        SignatureVerifier(registry).verify(signed(stranger, key))
    message = signed(kiosk, key)
    registry.revoke("hall")
    with pytest.raises(KioskRevoked):
        SignatureVerifier(registry).verify(message)


@pytest.mark.parametrize("late", [-30, 0, 150])
def test_a_little_skew_is_forgiven(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey, late: float
) -> None:
    assert SignatureVerifier(registry).verify(signed(kiosk, key, late=late)) == kiosk


def test_a_wrong_clock_is_told_by_how_much(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    with pytest.raises(ClockSkewed, match=r"(3599|3600) seconds ahead"):
        SignatureVerifier(registry).verify(signed(kiosk, key, late=-3600))
    with pytest.raises(ClockSkewed, match=r"360[01] seconds behind"):
        SignatureVerifier(registry).verify(signed(kiosk, key, late=3600))


def test_a_request_that_was_long_under_way_is_told_so(
    registry: KioskRegistry, kiosk: Kiosk, key: Ed25519PrivateKey
) -> None:
    with pytest.raises(SignatureExpired):
        SignatureVerifier(registry).verify(signed(kiosk, key, late=240))
