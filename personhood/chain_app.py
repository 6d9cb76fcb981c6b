"""The composition root of the chain's side: what publisher and relayer are made of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from fastapi import FastAPI
from sqlalchemy import Engine, create_engine

from distribution.chain import Chain
from distribution.database import Database
from distribution.deployment import Deployment
from distribution.endpoint import open_account
from distribution.journal import Journal
from distribution.publisher import BatchPolicy, Change, Publisher, PublisherStatus, read_status
from distribution.relay_api import RelayDesk, create_app
from distribution.relay_intake import Intake
from distribution.relay_store import RelayStore
from distribution.relay_worker import RelayWorker
from distribution.relayer import Relayer
from distribution.sender import GWEI, Sender, SendingPolicy, ensure_funded
from enrollment.store import EnrollmentStore
from personhood.app import open_journal
from personhood.attesting import attesters_to_ask
from personhood.database import open_database
from personhood.settings import Settings
from personhood.telemetry.metrics import Figure, Telemetry, metrics_route
from uniqueness.database import prepare
from uniqueness.key_files import load_or_create_key

LOCAL_CONFIRMATIONS, CONFIRMATIONS = 1, 12


class Enrolments:
    """What the group shall be, read from the enrolment service's database."""

    def __init__(self, store: EnrollmentStore) -> None:
        self._store = store

    def accepted(self, after: int) -> list[Change]:
        waiting = self._store.accepted_after(after)
        return [Change(commitment, int(since.timestamp())) for commitment, since in waiting]

    def removals(self) -> Sequence[Change]:
        return ()


def open_chain(settings: Settings) -> tuple[Chain, Deployment]:
    """The chain, and the contracts that are seen to stand on it."""
    chain = Chain.connect(settings.rpc_url, settings.gas_key())
    return chain, Deployment.read(settings.deployment_file()).check(chain)


@contextmanager
def open_publisher(
    settings: Settings, chain: Chain, deployment: Deployment
) -> Iterator[tuple[Publisher, Sender]]:
    """The publisher, as the only one of this database that sends from its account.

    Raises:
        SenderBusy: a publisher runs already.
        SenderMissing: its account has no coins for gas.
    """
    key = sending_key(settings, "publisher")
    ensure_funded(chain, key)
    engine = open_database(settings)
    policy = sending_policy(settings, chain)
    journal = open_journal(settings, engine)
    with Sender.open(chain, key, Database(engine), deployment, policy) as sender:
        publisher = Publisher(
            chain,
            deployment,
            sender,
            Enrolments(EnrollmentStore(engine, journal)),
            attesters_to_ask(settings, chain, deployment),
            batch_policy(settings),
            checkpoint=lambda: journal.checkpoint().digest,
        )
        yield publisher, sender
    engine.dispose()


def publisher_status(settings: Settings, chain: Chain, deployment: Deployment) -> PublisherStatus:
    """What is pending; also while a publisher runs."""
    engine = open_database(settings)
    address = open_account(sending_key(settings, "publisher")).address
    status = read_status(
        chain,
        deployment,
        Enrolments(EnrollmentStore(engine, open_journal(settings, engine))),
        Journal(Database(engine), deployment.fingerprint, address),
        batch_policy(settings),
        sending_policy(settings, chain).confirmations,
    )
    engine.dispose()
    return status


@contextmanager
def open_relayer(settings: Settings, chain: Chain, deployment: Deployment) -> Iterator[FastAPI]:
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


def _figures(store: RelayStore) -> list[Figure]:
    return [
        Figure("personhood_relayer_queued", store.count_queued()),
        Figure("personhood_relayer_unsettled", len(store.to_settle())),
    ]


def engine_of_relayer(settings: Settings) -> Engine:
    """The database of a relayer, which is not the service's."""
    return prepare(create_engine(settings.relayer_database()))


def sending_key(settings: Settings, role: str) -> str:
    """The key that is set, or one of the role's own, made on first use."""
    if (given := settings.gas_key()) is not None:
        return given
    return "0x" + load_or_create_key(settings.sending_key_file(role)).hex()


def sending_policy(settings: Settings, chain: Chain) -> SendingPolicy:
    confirmations = settings.confirmations or (
        LOCAL_CONFIRMATIONS if chain.holds_accounts else CONFIRMATIONS
    )
    return SendingPolicy(confirmations, max_fee=settings.max_fee_gwei * GWEI)


def batch_policy(settings: Settings) -> BatchPolicy:
    return BatchPolicy(settings.publish_batch, settings.publish_age)
