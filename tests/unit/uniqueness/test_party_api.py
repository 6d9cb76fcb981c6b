"""A party over the network: who may ask it what, and what it does not even read."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.uniqueness.three_parties import DIMENSION, Three, made_keys, served
from uniqueness.errors import (
    GalleryUnavailable,
    PartiesDisagree,
    PartyRefused,
    PartyUnavailable,
    PrivateMatchingError,
)
from uniqueness.private.messages import OPERATIONS, Prepare
from uniqueness.private.protocol import Added, Commit, PartyLike, PartyStatus
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.resharing import reshare
from uniqueness.private.trust import PartyCard, TlsIdentity, make_coordinator, tls_identity

Ask = Callable[[str], RemoteParty]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parties")


@pytest.fixture(scope="module")
def three(directory: Path) -> Three:
    three = Three.in_directory(directory)
    three.enrol("b1", 1, 2)
    return three


@pytest.fixture(scope="module")
def card(three: Three, directory: Path) -> Iterator[PartyCard]:
    """Of party 1, which is served."""
    circle, keys = made_keys(directory)
    with served(three.parties[1], circle, keys[1]) as card:
        yield card


@pytest.fixture(scope="module")
def ask_as(card: PartyCard, directory: Path) -> Iterator[Ask]:
    opened = []

    def ask(who: str) -> RemoteParty:
        opened.append(RemoteParty(card, tls_identity(directory / who)))
        return opened[-1]

    yield ask
    for remote in opened:
        remote.close()


def test_a_stranger_gets_no_connection(ask_as: Ask, directory: Path) -> None:
    make_coordinator(directory / "stranger")
    with pytest.raises(PartyUnavailable):
        ask_as("stranger").status()


def test_nor_does_who_shows_no_certificate(card: PartyCard) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=card.certificate)
    with httpx.Client(verify=context, trust_env=False) as client, pytest.raises(httpx.HTTPError):
        client.post(f"{card.url}/v1/status", content=b"{}")


def test_a_party_that_shows_another_certificate_is_not_asked(
    card: PartyCard, three: Three, directory: Path
) -> None:
    """Also when it is one of the circle."""
    other = three.circle.parties[0]
    forged = PartyCard(0, card.url, "", other.seal_key, other.signing_key, other.certificate)
    with (
        RemoteParty(forged, tls_identity(directory / "coordinator")) as remote,
        pytest.raises(PartyUnavailable, match="not with the certificate"),
    ):
        remote.status()


def test_only_the_coordinator_has_it_compute_and_commit(ask_as: Ask) -> None:
    for who in ("party0", "party1", "party2"):
        party = ask_as(who)
        for refused in (
            lambda one: one.open_session("s1"),
            lambda one: one.close_session("s1"),
            lambda one: one.prepare("b2", [b"x"]),
            lambda one: one.load_probes("s1", 1, "b2"),
            lambda one: one.reached("s1", 1, 5),
            lambda one: one.among("s1", 1, 5),
            lambda one: one.reaching("s1", 1, 5, [0]),
            lambda one: one.nearest("s1", 1, 0, [1]),
            lambda one: one.histogram("s1", 1, [0, 1]),
            lambda one: one.commit(Commit("b2", 2, ())),
            lambda one: one.discard("b2"),
        ):
            with pytest.raises(PartyRefused):
                refused(party)


def test_its_own_operator_sees_where_it_stands_and_the_others_do_not(ask_as: Ask) -> None:
    assert ask_as("party1").status() == ask_as("coordinator").status()
    for who in ("party0", "party2"):
        with pytest.raises(PartyRefused):
            ask_as(who).status()


def test_a_component_is_handed_to_who_lacks_it_alone(ask_as: Ask) -> None:
    assert ask_as("party0").hand_over(0, 0, 9).until == 2
    assert ask_as("coordinator").hand_over(0, 0, 9).until == 2
    for who, recipient in (("party0", 2), ("party2", 0), ("party1", 0), ("party1", 1)):
        with pytest.raises(PartyRefused):
            ask_as(who).hand_over(recipient, 0, 9)


def test_a_lost_store_over_the_network(tmp_path: Path) -> None:
    """Run by the lost party's operator, with its own certificate alone."""
    three = Three.in_directory(tmp_path)
    three.enrol("b1", 1, 2)
    circle, keys = made_keys(tmp_path)
    for file in (tmp_path / "party0").glob("shares.db*"):
        file.unlink()
    three.parties = Three.in_directory(tmp_path).parties
    identity = tls_identity(tmp_path / "party0")
    with (
        served(three.parties[0], circle, keys[0]) as lost,
        served(three.parties[1], circle, keys[1]) as second,
        served(three.parties[2], circle, keys[2]) as third,
        RemoteParty(lost, identity) as own,
        RemoteParty(second, identity) as one,
        RemoteParty(third, identity) as two,
    ):
        assert reshare(own, [one, two]) == 2
    assert three.require_equal() == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("status", b""),
        ("status", b"{"),
        ("status", b'{"more": 1}'),
        ("discard", b'{"batch": 5}'),
        ("reached", b'{"session": "s", "step": "1", "least": 1}'),
        ("commit", b'{"commit": {"batch": "b", "head": 2, "changes": [{"row": "0"}]}}'),
        ("prepare", b'{"batch": "b", "sealed": ["not base64!"]}'),
        ("take-over", b'{"pieces": [{}]}'),
        ("nothing", b"{}"),
    ],
)
def test_what_is_no_message_is_refused(
    card: PartyCard, directory: Path, path: str, body: bytes
) -> None:
    answer = post(card, tls_identity(directory / "coordinator"), path, body)
    assert answer.status_code == 403
    assert answer.json()["code"] == "party_refused"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_body_is_measured_before_it_is_read(
    card: PartyCard, directory: Path, operation: str
) -> None:
    size = OPERATIONS[operation].longest(DIMENSION) + 1
    answer = post(card, tls_identity(directory / "coordinator"), operation, b" " * size)
    assert answer.status_code == 403
    assert "at most" in answer.json()["detail"]


def test_the_largest_batch_fits() -> None:
    share = bytes(48 + 16 * DIMENSION)
    largest = Prepare(batch="b" * 64, sealed=(share,) * 256).model_dump_json()
    assert len(largest) <= Prepare.longest(DIMENSION)


def post(card: PartyCard, identity: TlsIdentity, path: str, body: bytes) -> httpx.Response:
    context = identity.client_context(card.certificate)
    with httpx.Client(verify=context, trust_env=False, timeout=30) as client:
        return client.post(f"{card.url}/v1/{path}", content=body)


@pytest.mark.parametrize("kind", PrivateMatchingError.__subclasses__())
def test_its_errors_arrive_as_they_were_raised(
    kind: type[PrivateMatchingError], three: Three, directory: Path
) -> None:
    arrived = error_of(three, directory, kind("what to do"))
    assert type(arrived) is kind
    assert str(arrived) == "party 1: what to do"


def test_a_database_that_failed_is_a_party_that_cannot_be_had(
    three: Three, directory: Path
) -> None:
    arrived = error_of(three, directory, GalleryUnavailable("what to do"))
    assert type(arrived) is PartyUnavailable
    assert "gallery_unavailable" in str(arrived)


def error_of(three: Three, directory: Path, error: Exception) -> PrivateMatchingError:
    class Failing:
        index = 1

        def status(self) -> PartyStatus:
            raise error

    _, keys = made_keys(directory)
    failing: PartyLike = Failing()  # type: ignore[assignment]
    with (
        served(failing, three.circle, keys[1]) as card,
        RemoteParty(card, tls_identity(directory / "coordinator")) as remote,
        pytest.raises(PrivateMatchingError) as raised,
    ):
        remote.status()
    return raised.value


def test_what_is_logged_names_no_batch(ask_as: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PartiesDisagree):
        ask_as("coordinator").commit(Commit("a-batch-of-somebody", 0, (Added(5),)))
    told = capsys.readouterr().out
    assert "parties_disagree" in told
    assert "somebody" not in told
