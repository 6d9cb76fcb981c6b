"""The composition root of a relayer, which needs nothing of the enrolment service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Engine, create_engine
from starlette.applications import Starlette

from distribution.chain import Chain
from distribution.database import Database
from distribution.deployment import Deployment
from distribution.publisher import BatchPolicy
from distribution.relay_api import RelayDesk, create_app
from distribution.relay_intake import Intake
from distribution.relay_store import RelayStore
from distribution.relay_worker import RelayWorker
from distribution.relayer import Relayer
from distribution.sender import Sender, ensure_funded
from personhood.chain_access import sending_key, sending_policy
from personhood.settings import Settings
from personhood.telemetry.metrics import Figure, Telemetry, metrics_route
from uniqueness.database import prepare


@contextmanager
def open_relayer(settings: Settings, chain: Chain, deployment: Deployment) -> Iterator[Starlette]:
    """The relayer's routes, and its batches as a thread for as long as the block runs.

    Raises:
        SenderBusy: a relayer runs already.
        SenderMissing: its account has no coins for gas.
        RelayDatabaseMismatch: its database was made by another version.
    """
    key = sending_key(settings, "relayer")
    ensure_funded(chain, key)
    engine = engine_of_relayer(settings)
    database = Database(engine)
    with Sender.open(chain, key, database, deployment, sending_policy(settings, chain)) as sender:
        store = RelayStore(database, deployment.fingerprint)
        batches = BatchPolicy(settings.relayer_batch, settings.relayer_age)
        relayer = Relayer(chain, deployment, sender, store, batches)
        intake = Intake(
            chain,
            deployment,
            store,
            sender.address,
            minimum_fee=settings.relayer_fee,
            capacity=settings.relayer_queue,
        )
        with RelayWorker(relayer):
            app = create_app(RelayDesk(deployment, intake, relayer, settings.relayer_requests))
            if token := settings.metrics_access():
                app.router.routes.append(metrics_route(Telemetry(partial(_figures, store)), token))
            yield app
    engine.dispose()


def engine_of_relayer(settings: Settings) -> Engine:
    """The database of a relayer, which is not the service's."""
    return prepare(create_engine(settings.relayer_database()))


def _figures(store: RelayStore) -> list[Figure]:
    return [
        Figure("personhood_relayer_queued", store.count_queued()),
        Figure("personhood_relayer_unsettled", len(store.to_settle())),
    ]
