"""What commands open of a service's database, beside the service or without it.

The libraries of the service, which take seconds to import, are not needed for it.
"""

from pathlib import Path

from sqlalchemy import Engine

from enrollment.kiosks import KioskRegistry
from enrollment.membership import MembershipHistory
from enrollment.packs import read_manifests
from personhood.database import open_database
from personhood.keys import ServiceKey, service_key
from personhood.policy import decision_rule
from personhood.settings import Settings
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.audit import AuditReport


def open_journal(
    settings: Settings, engine: Engine, model: str = "", calibration: str = ""
) -> Journal:
    """What writes the decision log of a database, and signs its checkpoints."""
    log = DecisionLog(engine)
    key = service_key(settings, ServiceKey.LOG)
    return Journal(log, key, settings.log_origin, model, calibration)


def open_kiosks(settings: Settings) -> KioskRegistry:
    """Who may enrol people; also while the service runs."""
    return KioskRegistry(open_database(settings))


def read_accepted_commitments(settings: Settings) -> list[int]:
    """Every accepted commitment, in the order of acceptance: what the publisher posts."""
    return MembershipHistory(open_database(settings)).accepted_commitments()


def read_audit(settings: Settings) -> AuditReport:
    """The audit of this database as it stands."""
    rule = decision_rule(settings, read_manifests(settings.model_pack))
    return AuditReport.read(open_database(settings), rule.policy)


def plot_scores(settings: Settings, report: AuditReport, path: Path) -> None:
    """Write the audit's score histogram as PNG, with the thresholds for as many people."""
    rule = decision_rule(settings, read_manifests(settings.model_pack))
    report.plot(path, rule.policy.at(report.people_enrolled))
