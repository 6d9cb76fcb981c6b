"""The composition root of a party of the private matching, and of those who ask one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine

from personhood.settings import Settings
from uniqueness.database import prepare
from uniqueness.errors import TrustInvalid
from uniqueness.key_files import KeyFiles
from uniqueness.private.party_rotation import rotate
from uniqueness.private.remote_party import RemoteParty
from uniqueness.private.trust import (
    CARD,
    Card,
    Circle,
    PartyKeys,
    TlsIdentity,
    read_card,
    tls_identity,
)

CIRCLE: Final = "parties.json"


@dataclass(frozen=True)
class Member:
    """Whoever asks parties from this machine: a party's operator, or the coordinator.

    Args:
        index: of the party; None for the coordinator.
    """

    index: int | None
    circle: Circle
    identity: TlsIdentity

    @contextmanager
    def parties(self, indexes: Sequence[int]) -> Iterator[list[RemoteParty]]:
        """Ask some parties, for as long as the block runs."""
        with ExitStack() as stack:
            cards = [self.circle.parties[index] for index in indexes]
            yield [stack.enter_context(RemoteParty(card, self.identity)) for card in cards]


def pin(directory: Path, cards: Sequence[Card], dimension: int) -> Circle:
    """Write the circle that a party or a coordinator trusts from now on.

    Raises:
        TrustInvalid: no circle, or the card of these keys is not in it.
    """
    circle = Circle.of(cards, dimension)
    if read_card(directory / CARD) not in cards:
        raise TrustInvalid(f"the card of {directory} is not among these")
    circle.write(directory / CIRCLE)
    return circle


def member_of(directory: Path) -> Member:
    """Who has the keys in a directory.

    Raises:
        TrustInvalid: no keys, or nobody is pinned yet.
    """
    card = read_card(directory / CARD)
    index = getattr(card, "index", None)
    return Member(index, Circle.read(directory / CIRCLE), tls_identity(directory))


def rotate_store(settings: Settings) -> int:
    """Seal this machine's party's store under a new key; returns how many shares.

    Raises:
        UniquenessError: the store cannot be used.
    """
    home = settings.party_dir()
    keys = PartyKeys.read(home)
    database = prepare(create_engine(f"sqlite:///{home}/shares.db"))
    try:
        return rotate(database, KeyFiles(home / "store.key"), keys.card.index)
    finally:
        database.dispose()
