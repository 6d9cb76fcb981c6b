import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine

from enrollment.errors import (
    InvitationInvalid,
    KioskNameTaken,
    KioskRevoked,
    KioskUnknown,
    RequestReplayed,
    SessionExpired,
    SessionUnknown,
)
from enrollment.kiosks import Kiosk, KioskRegistry
from enrollment.pose import Pose
from enrollment.sessions import SessionStore


def public_key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes_raw()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'kiosks.db'}")


@pytest.fixture
def registry(engine: Engine) -> KioskRegistry:
    return KioskRegistry(engine)


@pytest.fixture
def kiosk(registry: KioskRegistry) -> Kiosk:
    return registry.register(registry.invite("Library, ground floor"), public_key())


def test_a_kiosk_knows_who_invited_it(registry: KioskRegistry) -> None:
    theirs = registry.register(registry.invite("hall", by="ada"), public_key())
    registry.register(registry.invite("gate"), public_key())
    assert theirs.invited_by == registry.find(theirs.id).invited_by == "ada"
    assert {kiosk.name: kiosk.invited_by for kiosk in registry.all()} == {"hall": "ada", "gate": ""}


def test_an_invited_kiosk_registers_and_is_found(registry: KioskRegistry, kiosk: Kiosk) -> None:
    assert registry.find(kiosk.id) == kiosk
    assert registry.all() == (kiosk,)
    assert kiosk.name == "Library, ground floor"


def test_a_code_is_used_once_also_by_two_at_once(registry: KioskRegistry) -> None:
    code = registry.invite("hall")
    outcomes: list[Kiosk | InvitationInvalid] = []

    def register() -> None:
        try:
            outcomes.append(registry.register(code, public_key()))
        except InvitationInvalid as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Kiosk) for outcome in outcomes) == 1
    assert len(outcomes) == 8


def test_a_code_is_read_as_people_type_it(registry: KioskRegistry) -> None:
    code = registry.invite("hall")
    assert registry.register(f" {code.lower()} ", public_key()).name == "hall"


def test_an_expired_or_replaced_code_is_refused(registry: KioskRegistry) -> None:
    with pytest.raises(InvitationInvalid):
        registry.register(registry.invite("a", lifetime=-1), public_key())
    first, second = registry.invite("b"), registry.invite("b")
    with pytest.raises(InvitationInvalid):
        registry.register(first, public_key())
    assert registry.register(second, public_key())


def test_a_refused_key_does_not_use_up_the_code(registry: KioskRegistry, kiosk: Kiosk) -> None:
    code = registry.invite("second")
    for key in (b"short", b"", kiosk.public_key):
        with pytest.raises(InvitationInvalid):
            registry.register(code, key)
    assert registry.register(code, public_key())


def test_a_name_belongs_to_one_kiosk(registry: KioskRegistry, kiosk: Kiosk) -> None:
    for name in (kiosk.name, "", "x" * 61, "line\nbreak"):
        with pytest.raises(KioskNameTaken):
            registry.invite(name)


def test_a_revoked_kiosk_is_refused_at_once_and_stays_listed(
    registry: KioskRegistry, kiosk: Kiosk
) -> None:
    registry.revoke(kiosk.name)
    registry.revoke(kiosk.name)
    with pytest.raises(KioskRevoked):
        registry.find(kiosk.id)
    assert [known.revoked_at is not None for known in registry.all()] == [True]


def test_a_revoked_invitation_is_void(registry: KioskRegistry) -> None:
    code = registry.invite("hall")
    registry.revoke("hall")
    with pytest.raises(InvitationInvalid):
        registry.register(code, public_key())


def test_unknown_kiosks_are_told_so(registry: KioskRegistry) -> None:
    with pytest.raises(KioskUnknown):
        registry.find("0" * 32)
    with pytest.raises(KioskUnknown):
        registry.revoke("nobody")


def test_a_request_is_taken_once_until_it_has_expired(
    engine: Engine, registry: KioskRegistry, kiosk: Kiosk
) -> None:
    other = registry.register(registry.invite("other"), public_key())
    registry.remember(kiosk, "nonce", 4_000_000_000)
    registry.remember(other, "nonce", 4_000_000_000)
    with pytest.raises(RequestReplayed):
        registry.remember(kiosk, "nonce", 4_000_000_000)
    registry.remember(kiosk, "old", 1)
    KioskRegistry(engine).remember(kiosk, "old", 1)  # long expired, hence forgotten


def test_a_session_belongs_to_its_kiosk_and_to_one_decision(
    engine: Engine, registry: KioskRegistry, kiosk: Kiosk
) -> None:
    other = registry.register(registry.invite("other"), public_key())
    sessions = SessionStore(engine)
    session = sessions.open(kiosk, (Pose.FRONT, Pose.LEFT))
    assert sessions.find(session.id, kiosk, "first") == session
    with pytest.raises(SessionUnknown):
        sessions.find(session.id, other, "first")
    sessions.close(session, "first")
    sessions.close(session, "second")
    assert sessions.find(session.id, kiosk, "first") == session
    with pytest.raises(SessionExpired):
        sessions.find(session.id, kiosk, "second")


def test_a_session_ends_but_its_decided_request_is_answered_again(
    engine: Engine, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = SessionStore(engine)
    decided, undecided = (sessions.open(kiosk, (Pose.FRONT,)) for _ in range(2))
    sessions.close(decided, "key")
    monkeypatch.setattr("enrollment.sessions.time.time", lambda: decided.expires_at + 1)
    assert sessions.find(decided.id, kiosk, "key") == decided
    with pytest.raises(SessionExpired):
        sessions.find(undecided.id, kiosk, "key")


def test_challenges_differ(engine: Engine, kiosk: Kiosk) -> None:
    sessions = SessionStore(engine)
    challenges = {sessions.open(kiosk, (Pose.FRONT,)).challenge for _ in range(20)}
    assert len(challenges) == 20
    assert all(len(challenge) == 19 for challenge in challenges)
