"""The composition root of the publisher: the one part of the chain's side that sees enrolments."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from distribution.chain import Chain
from distribution.database import Database
from distribution.deployment import Deployment
from distribution.endpoint import open_account
from distribution.journal import Journal, now
from distribution.publisher import BatchPolicy, Change, Publisher, PublisherStatus, read_status
from distribution.sender import Sender, ensure_funded
from enrollment.membership import MembershipChange, MembershipHistory
from personhood.attesting import attesters_to_ask
from personhood.chain_access import sending_key, sending_policy
from personhood.database import open_database
from personhood.registers import open_journal
from personhood.settings import Settings
from transparency.entry import SECONDS_PER_HOUR


class Enrolments:
    """What the group shall be, read from the enrolment service's database.

    That tells the hour of a change and no more. So a change waits since it was first seen here, or
    since its hour was over.
    """

    def __init__(self, history: MembershipHistory) -> None:
        self._history = history
        self._first_seen: dict[int, int] = {}

    def accepted(self, after: int) -> list[Change]:
        return self._changes(self._history.additions()[after:])

    def removals(self) -> list[Change]:
        return self._changes(self._history.removals())

    def _changes(self, changes: Sequence[MembershipChange]) -> list[Change]:
        return [Change(change.commitment, self._since(change)) for change in changes]

    def _since(self, change: MembershipChange) -> int:
        seen = self._first_seen.setdefault(change.sequence, now())
        return min(seen, (change.hour + 1) * SECONDS_PER_HOUR)


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
            Enrolments(MembershipHistory(engine)),
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
        Enrolments(MembershipHistory(engine)),
        Journal(Database(engine), deployment.fingerprint, address),
        batch_policy(settings),
        sending_policy(settings, chain).confirmations,
    )
    engine.dispose()
    return status


def batch_policy(settings: Settings) -> BatchPolicy:
    return BatchPolicy(settings.publish_batch, settings.publish_age)
