"""The composition root: what is made of what, and nothing else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine

from enrollment.api import FrontDesk, create_app
from enrollment.challenges import Challenges
from enrollment.engine import open_pad_model
from enrollment.examination import Examiner
from enrollment.face_models import batched, open_models
from enrollment.kiosk_files import NODE_MODULES, create_kiosk_router
from enrollment.kiosks import KioskRegistry
from enrollment.membership import MembershipHistory
from enrollment.packs import (
    load_packs,
    load_pad_pack,
    read_manifest,
    read_manifests,
)
from enrollment.pad import DepthByTurning, PassiveModel, PresentationAttackDetector
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose, draw_poses
from enrollment.receipts import ReceiptIssuer
from enrollment.replay import ReplayGuard
from enrollment.sessions import SessionStore
from enrollment.store import EnrollmentStore
from personhood.console import console_pages
from personhood.database import open_database, owned
from personhood.galleries import opened_gallery, retiring_packs
from personhood.keys import ServiceKey, service_key, template_keys
from personhood.policy import decision_rule
from personhood.settings import Settings
from personhood.telemetry.health import Vitals, create_health_router
from personhood.telemetry.metrics import metrics_route
from personhood.telemetry.service import observe, service_telemetry
from transparency.api import create_log_router
from transparency.journal import Journal
from transparency.store import DecisionLog
from uniqueness.audit import AuditReport

PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
}

GPU_WORKERS: Final = 32  # requests under way, so that batches fill
PAGE_PACK: Final = "opencv"  # whose detector guides people on the kiosk page

POSES: Final[dict[str, Callable[[], tuple[Pose, ...]]]] = {
    "photograph": lambda: (Pose.FRONT,),
    "live": draw_poses,
}


@contextmanager
def open_service(
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Iterator[FastAPI]:
    """The enrolment service, its gallery open for as long as the block runs.

    Args:
        stop, on_lost: see `Ownership`; with `stop`, a service that runs already is waited for.

    Raises:
        EnrollmentError: the model pack is not installed or not the pinned one.
        CalibrationMissing: the model pack fuses several models, and no calibration is set.
        DatabaseAhead: another version moved the schema while this one waited.
        UniquenessError: another service runs on the database, the gallery cannot be read, or
            the calibration is not this operator's, or of other models.
    """
    packs = load_packs(settings.model_pack, settings.models_dir())
    manifests = [pack.manifest for pack in packs]
    rule = decision_rule(settings, manifests)
    retiring = retiring_packs(settings)
    used = [*packs, *retiring]
    opened = open_models(used, PROVIDERS[settings.device])
    on_gpu = settings.device == "cuda"
    is_live = settings.capture == "live"
    engine = open_database(settings, upgrade=True)
    keyring = template_keys(settings)
    journal = open_journal(
        settings, engine, "+".join(manifest.model for manifest in manifests), rule.version
    )
    with (
        batched(opened, used, on_gpu=on_gpu) as models,
        owned(engine, stop=stop, on_lost=on_lost),
        opened_gallery(
            settings, engine, keyring, manifests, [p.manifest for p in retiring], rule
        ) as (gallery, is_snapshot_unsaved),
    ):
        journal.announce()
        enrollments = EnrollmentStore(engine, keyring, journal)
        replay = ReplayGuard(engine, service_key(settings, ServiceKey.REPLAY)) if is_live else None
        vitals = Vitals(
            gallery=gallery,
            safe_population=rule.policy.safe_population,
            waiting_since=enrollments.waiting,
            is_snapshot_unsaved=is_snapshot_unsaved,
            has_replay_guard=replay is not None,
        )
        kiosks = KioskRegistry(engine)
        telemetry = service_telemetry(vitals, journal, kiosks)
        desk = FrontDesk(
            EnrollmentService(
                Examiner(models, _attack_detectors(settings)),
                gallery,
                enrollments,
                replay,
                recovery_days=settings.recovery_days,
            ),
            kiosks,
            SessionStore(engine),
            ReceiptIssuer(service_key(settings, ServiceKey.RECEIPT)),
            Challenges(service_key(settings, ServiceKey.CHALLENGE)),
            draw_poses=POSES[settings.capture],
            requests_per_minute=settings.kiosk_requests,
            keeps_images=settings.keep_images,
            workers=GPU_WORKERS if on_gpu else None,
            observe=partial(observe, telemetry),
        )
        app = create_app(desk)
        app.include_router(create_health_router(vitals))
        if token := settings.metrics_access():
            app.router.routes.append(metrics_route(telemetry, token))
        app.include_router(create_log_router(journal, settings.witnessed_file()))
        app.include_router(_kiosk_page(settings))
        with console_pages(settings, engine, gallery, desk, enrollments) as pages:
            app.include_router(pages)
            yield app


def open_journal(
    settings: Settings, engine: Engine, model: str = "", calibration: str = ""
) -> Journal:
    """What writes the decision log of a database, and signs its checkpoints."""
    log = DecisionLog(engine)
    key = service_key(settings, ServiceKey.LOG)
    return Journal(log, key, settings.log_origin, model, calibration)


def _kiosk_page(settings: Settings) -> APIRouter:
    """The page, with its own detector, which needs not be the service's."""
    detector = read_manifest(PAGE_PACK).detector.file.name
    return create_kiosk_router(
        settings.models_dir() / PAGE_PACK / detector,
        keeps_images=settings.keep_images,
        packages=(NODE_MODULES, settings.npm_dir()),
    )


def open_kiosks(settings: Settings) -> KioskRegistry:
    """Who may enrol people; also while the service runs."""
    return KioskRegistry(open_database(settings))


def _attack_detectors(settings: Settings) -> tuple[PresentationAttackDetector, ...]:
    """What looks for pictures of faces; a plain photograph is one, so nothing looks at those."""
    if settings.capture == "photograph":
        return ()
    if settings.pad_pack is None:
        return (DepthByTurning(),)
    pack = load_pad_pack(settings.pad_pack, settings.models_dir())
    model = open_pad_model(pack, PROVIDERS[settings.device])
    return DepthByTurning(), PassiveModel(pack.manifest.name, model, pack.manifest.threshold)


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
