"""How a party starts its engine in a session: where the three meet, and by which certificates."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from uniqueness.files import replacing
from uniqueness.private.engine import Engine, Links
from uniqueness.private.party_session import MatchingEngine, StartEngine
from uniqueness.private.trust import Circle, PartyKeys

_TRUSTED: Final = "parties.pem"  # the certificates of the three


def engine_starter(
    keys: PartyKeys, circle: Circle, python: Path, home: Path, listen: str | None = None
) -> StartEngine:
    """Make what starts a party's engine.

    Args:
        keys: of the party.
        circle: in which it is.
        python: interpreter of the engine's environment.
        home: directory where the three certificates are put together.
        listen: HOST:PORT at which the engine listens; as the party's card says when None.
    """
    index = keys.card.index
    addresses = [card.links for card in circle.parties]
    addresses[index] = listen or addresses[index]
    first, second, third = addresses
    trusted = home / _TRUSTED
    with replacing(trusted) as file:
        file.write("".join(card.certificate for card in circle.parties).encode())

    def start(session: str, started: Callable[[MatchingEngine], None]) -> MatchingEngine:
        own = keys.tls
        links = Links(session, (first, second, third), own.certificate, own.key, trusted)
        return Engine(index, links, python, started=started)

    return start
