"""What a report is made from, read once: the database, the calibration, trials, the chain."""

import datetime
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from enrollment.cases import read_waiting
from enrollment.database import Database
from enrollment.kiosks import KioskRegistry
from enrollment.packs import read_manifests
from personhood.audit_report.counts import LogCounts
from personhood.database import open_database
from personhood.errors import TrialMissing
from personhood.policy import DecisionRule, decision_rule
from personhood.registers import open_journal
from personhood.settings import Settings
from transparency.entry import SECONDS_PER_HOUR
from transparency.journal import Journal
from uniqueness.audit import AuditReport
from uniqueness.calibration import Calibration
from uniqueness.metrics.activity import Event
from uniqueness.metrics.error_rates import ErrorRate, read_trial
from uniqueness.metrics.queues import QueueAges, queue_ages

_ENTRIES = 4096  # read at a time


@dataclass(frozen=True)
class ChainSource:
    """What the chain says, and where.

    Args:
        activity: by epoch.
        chain_id: of the chain.
        distributor: address.
        decimals: of the coin that is paid.
    """

    activity: Any
    chain_id: int
    distributor: str
    decimals: int


@dataclass(frozen=True)
class LogSource:
    """The decision log up to a checkpoint.

    Args:
        events: its entries, as rows.
        checkpoint: over these entries, a signed note.
        origin: the log's name.
        root: of the Merkle tree over these entries, hex.
    """

    events: tuple[Event, ...]
    checkpoint: str
    origin: str
    root: str


@dataclass(frozen=True)
class Sources:
    """Everything that a report is made from.

    Args:
        gallery: counts, without what may not leave.
        rule: by which is decided.
        models: that are compared.
        log: the decision log.
        queue: of reviews that wait.
        trials: what trials with known people counted.
        chain: None where no deployment file is.
    """

    gallery: AuditReport
    rule: DecisionRule
    models: tuple[str, ...]
    log: LogSource
    queue: QueueAges
    trials: tuple[ErrorRate, ...]
    chain: ChainSource | None

    @property
    def events(self) -> tuple[Event, ...]:
        """What the decision log says."""
        return self.log.events

    @cached_property
    def counts(self) -> LogCounts:
        """What of it may be told."""
        return LogCounts.of(self.events)

    @property
    def calibration(self) -> Calibration | None:
        """Where thresholds come from one."""
        return self.rule.policy if isinstance(self.rule.policy, Calibration) else None


def read_sources(
    settings: Settings, *, trials: Sequence[Path] = (), log_size: int | None = None
) -> Sources:
    """Read them.

    Args:
        settings: of the service.
        trials: CSV files, see `uniqueness.metrics.error_rates.read_trial`.
        log_size: entries of the decision log to go by; all of them if left out.

    Raises:
        TrialMissing, TrialUnreadable: a trial's file is not there or none.
        PersonhoodError, UniquenessError, DistributionError: something cannot be read.
    """
    manifests = read_manifests(settings.model_pack)
    rule = decision_rule(settings, manifests)
    engine = open_database(settings)
    journal = open_journal(settings, engine)
    with Database(engine).read() as connection:
        waiting = read_waiting(connection)
    return Sources(
        gallery=AuditReport.read(engine, rule.policy).for_release(),
        rule=rule,
        models=tuple(manifest.model for manifest in manifests),
        log=_log(journal, _operators(engine, journal), log_size),
        queue=queue_ages(waiting, time.time()),
        trials=tuple(rate for path in trials for rate in _trial(path)),
        chain=_chain(settings) if settings.deployment_file().exists() else None,
    )


def _operators(engine: Engine, journal: Journal) -> dict[str, str]:
    """By each kiosk's pseudonym the one of the operator who invited it."""
    return {
        journal.pseudonym(kiosk.id): journal.operator_pseudonym(kiosk.invited_by)
        for kiosk in KioskRegistry(engine).all()
        if kiosk.invited_by
    }


def _log(journal: Journal, operators: Mapping[str, str], size: int | None) -> LogSource:
    """Read the first entries.

    Raises:
        LogRangeInvalid: there are not so many.
    """
    checkpoint = journal.checkpoint(size)
    events = [
        Event(
            entry.kind.value,
            entry.reason or "",
            entry.hour // SECONDS_PER_HOUR,
            entry.kiosk,
            operators.get(entry.kiosk, ""),
        )
        for start in range(0, checkpoint.size, _ENTRIES)
        for entry in journal.log.entries(start, min(start + _ENTRIES, checkpoint.size))
    ]
    return LogSource(
        tuple(events), journal.sign(checkpoint), checkpoint.origin, checkpoint.root.hex()
    )


def _trial(path: Path) -> tuple[ErrorRate, ...]:
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise TrialMissing(f"{path} cannot be read: {error.strerror}") from error
    return read_trial(lines, path.name)


def _chain(settings: Settings) -> ChainSource:
    from distribution.activity import activity_of
    from distribution.chain import Chain
    from distribution.deployment import Deployment
    from distribution.record import read_record

    chain = Chain.connect(settings.rpc_url)
    deployment = Deployment.read(settings.deployment_file()).check(chain)
    return ChainSource(
        activity=activity_of(read_record(chain, deployment)),
        chain_id=deployment.chain_id,
        distributor=deployment.distributor,
        decimals=deployment.decimals,
    )


def basis_of(sources: Sources, trials: Sequence[Path]) -> dict[str, Any]:
    """What identifies the state of each source: equal ones give equal figures."""
    chain = sources.chain
    return {
        "models": list(sources.models),
        "calibration": sources.rule.version,
        "log": {
            "origin": sources.log.origin,
            "entries": len(sources.events),
            "root": sources.log.root,
        },
        "gallery": {
            "people": sources.gallery.people_enrolled,
            "closed_blocks": sources.gallery.open_block,
            "outcomes": sum(sources.gallery.outcomes.values()),
        },
        "trials": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in trials},
        "chain": chain
        and {
            "chain_id": chain.chain_id,
            "distributor": chain.distributor,
            "block": chain.activity.block,
        },
        "moment": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }
