"""Whom a party trusts: three parties and one coordinator, each pinned by its keys.

Each of them makes its keys by itself and gives the others its card, which is public. The four cards
together are the circle: `parties.json`, the same at all four.

    seal.key, signing.key    a party's: shares are sealed to it (X25519); it signs (Ed25519)
    tls.key, tls.pem         its private key and its certificate, signed by nobody else
    card.json                what the others have to know

No authority vouches for a certificate, and no name in it matters: TLS between the four takes
exactly the certificates of the circle. Keys are for their owner alone, and never overwritten.
"""

import hashlib
import json
import ssl
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import TypeAdapter, ValidationError

from uniqueness.errors import InvalidKey, TrustInvalid
from uniqueness.files import replacing
from uniqueness.key_files import load_or_create_key
from uniqueness.private.certificates import make_certificate
from uniqueness.private.shares import PARTIES

CARD: Final = "card.json"

T = TypeVar("T")


@dataclass(frozen=True)
class PartyCard:
    """What a party tells the others.

    Args:
        index: 0 to 2.
        url: https address of its API.
        links: host:port under which the other parties' engines reach its own.
        seal_key: 32 bytes in hex, X25519.
        signing_key: 32 bytes in hex, Ed25519.
        certificate: PEM.
    """

    index: int
    url: str
    links: str
    seal_key: str
    signing_key: str
    certificate: str

    def public_seal_key(self) -> X25519PublicKey:
        return X25519PublicKey.from_public_bytes(bytes.fromhex(self.seal_key))

    def public_signing_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.signing_key))


@dataclass(frozen=True)
class CoordinatorCard:
    """What the coordinator tells the parties: its certificate, in PEM."""

    certificate: str


Card = PartyCard | CoordinatorCard


@dataclass(frozen=True)
class Circle:
    """Those who trust each other, and with what.

    Args:
        dimension: of the templates that are matched.
        parties: three, in order.
        coordinator: who may have them decide.
    """

    dimension: int
    parties: tuple[PartyCard, ...]
    coordinator: CoordinatorCard

    @classmethod
    def of(cls, cards: Sequence[Card], dimension: int) -> Self:
        """Put four cards together.

        Raises:
            TrustInvalid: not one of each, or a key is none, or one of two holders.
        """
        parties = sorted(
            (card for card in cards if isinstance(card, PartyCard)), key=lambda card: card.index
        )
        others = [card for card in cards if isinstance(card, CoordinatorCard)]
        if [card.index for card in parties] != list(range(PARTIES)) or len(others) != 1:
            raise TrustInvalid("give the cards of the parties 0, 1 and 2 and of one coordinator")
        circle = cls(dimension, tuple(parties), others[0])
        circle._check()
        return circle

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `parties.json`.

        Raises:
            TrustInvalid: it is not there, or none.
        """
        circle = _read(path, TypeAdapter(cls))
        return cls.of([*circle.parties, circle.coordinator], circle.dimension)

    def write(self, path: Path) -> None:
        """Write `parties.json`, durably, in the place of an older one."""
        with replacing(path) as file:
            file.write((json.dumps(asdict(self), indent=2) + "\n").encode())

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex over all of it: when it is the same at all four, so is the circle."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def certificates(self) -> tuple[str, ...]:
        """PEM of the parties', in order, then the coordinator's."""
        return (*(card.certificate for card in self.parties), self.coordinator.certificate)

    def _check(self) -> None:
        try:
            prints = {ssl.PEM_cert_to_DER_cert(certificate) for certificate in self.certificates}
            for certificate in self.certificates:
                x509.load_pem_x509_certificate(certificate.encode())
            keys = {card.seal_key for card in self.parties}
            for card in self.parties:
                card.public_seal_key()
                card.public_signing_key()
        except (ValueError, TypeError) as error:
            raise TrustInvalid("a card holds a key or a certificate that is none") from error
        if len(prints) != PARTIES + 1 or len(keys) != PARTIES or self.dimension < 1:
            raise TrustInvalid("two cards hold the same key, or the dimension is none")


@dataclass(frozen=True)
class TlsIdentity:
    """Two PEM files with which a holder shows who it is."""

    certificate: Path
    key: Path

    def server_context(self, circle: Circle) -> ssl.SSLContext:
        """TLS for whom the circle names, and nobody else."""
        return self._context(ssl.PROTOCOL_TLS_SERVER, circle.certificates)

    def client_context(self, certificate: str) -> ssl.SSLContext:
        """TLS with the holder of one certificate (PEM), whatever its address."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT, [certificate])

    def _context(self, protocol: int, certificates: Sequence[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # the certificate itself is pinned
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata="\n".join(certificates))
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise TrustInvalid(f"{self.certificate} and its key cannot be read") from error
        return context


@dataclass(frozen=True)
class PartyKeys:
    """A party's own keys, and its card."""

    card: PartyCard
    seal: X25519PrivateKey = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)
    tls: TlsIdentity

    @classmethod
    def make(cls, directory: Path, index: int, url: str, links: str) -> Self:
        """Make what is not there yet, and read the rest.

        A key that is there stays as it is; address and index are those given now.

        Raises:
            TrustInvalid: a key cannot be read, or others may read it.
        """
        seal, signing = _keys(directory)
        card = PartyCard(
            index,
            url,
            links,
            seal.public_key().public_bytes_raw().hex(),
            signing.public_key().public_bytes_raw().hex(),
            make_certificate(directory / "tls.pem", directory / "tls.key", f"party {index}"),
        )
        with replacing(directory / CARD) as file:
            file.write(card_json(card).encode())
        return cls.read(directory)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the keys that `make` made.

        Raises:
            TrustInvalid: they are not there, or cannot be read.
        """
        card = read_card(directory / CARD)
        if not isinstance(card, PartyCard):
            raise TrustInvalid(f"{directory} holds no keys of a party")
        return cls(card, *_keys(directory), tls_identity(directory))

    def require_in(self, circle: Circle) -> None:
        """Check that the others know these keys.

        Raises:
            TrustInvalid: the circle has another card in this place.
        """
        if circle.parties[self.card.index] != self.card:
            raise TrustInvalid(
                f"parties.json knows party {self.card.index} by other keys or addresses: exchange "
                "the cards again"
            )


def make_coordinator(directory: Path) -> CoordinatorCard:
    """Make the coordinator's TLS key and card where they are not there yet.

    Raises:
        TrustInvalid: they cannot be read.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = make_certificate(directory / "tls.pem", directory / "tls.key", "coordinator")
    card = CoordinatorCard(pem)
    with replacing(directory / CARD) as file:
        file.write(card_json(card).encode())
    return card


def tls_identity(directory: Path) -> TlsIdentity:
    """The TLS files in a directory of keys."""
    return TlsIdentity(directory / "tls.pem", directory / "tls.key")


def card_json(card: Card) -> str:
    """A card as its holder gives it to the others."""
    return json.dumps(asdict(card), indent=2) + "\n"


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        TrustInvalid: it is none.
    """
    return _read(path, TypeAdapter[Card](Card))


def card_fingerprint(card: Card) -> str:
    """SHA-256 in hex over all of a card: what two people compare over the telephone."""
    return hashlib.sha256(json.dumps(asdict(card), sort_keys=True).encode()).hexdigest()


def _keys(directory: Path) -> tuple[X25519PrivateKey, Ed25519PrivateKey]:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        seal = load_or_create_key(directory / "seal.key")
        signing = load_or_create_key(directory / "signing.key")
    except (OSError, InvalidKey) as error:
        raise TrustInvalid(f"the keys in {directory} cannot be used: {error}") from error
    return X25519PrivateKey.from_private_bytes(seal), Ed25519PrivateKey.from_private_bytes(signing)


def _read(path: Path, kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise TrustInvalid(f"{path} cannot be read: {error.strerror}; see `party init`") from error
    except ValidationError as error:
        raise TrustInvalid(f"{path} is not what `party init` or `party pin` writes") from error
