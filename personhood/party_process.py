"""A party as a process: its store, its keys, its engine and its API put together."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine

from personhood.party_app import CIRCLE
from personhood.settings import Settings
from uniqueness.database import prepare
from uniqueness.key_files import KeyFiles
from uniqueness.private.environment import environment_python
from uniqueness.private.party import Party
from uniqueness.private.party_api import PartyServer, create_party_app
from uniqueness.private.party_engine import engine_starter
from uniqueness.private.party_store import PartyStore
from uniqueness.private.trust import Circle, PartyKeys


@contextmanager
def open_party(
    settings: Settings, host: str, port: int, links: str | None
) -> Iterator[PartyServer]:
    """This machine's party, ready to be served.

    Args:
        settings: where its keys and its store are.
        host, port: to listen at.
        links: host:port at which its engine listens; as its card says when None.

    Raises:
        UniquenessError: keys, store or environment cannot be used.
    """
    home = settings.party_dir()
    keys, circle = PartyKeys.read(home), Circle.read(home / CIRCLE)
    python = environment_python(settings.cache.expanduser())
    start_engine = engine_starter(keys, circle, python, home, links)
    database = prepare(create_engine(f"sqlite:///{home}/shares.db"))
    store = PartyStore(database, KeyFiles(home / "store.key"), keys.card.index, circle.dimension)
    party = Party(keys, circle, store, start_engine)
    context = keys.tls.server_context(circle)
    try:
        yield PartyServer(create_party_app(party, circle), context, host, port)
    finally:
        party.close()
        database.dispose()
