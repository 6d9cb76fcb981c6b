"""The composition root: what is made of what, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from enrollment.api import FrontDesk, create_app
from enrollment.engine import open_engine
from enrollment.kiosk_files import create_kiosk_router
from enrollment.kiosks import KioskRegistry
from enrollment.packs import load_pack, read_manifest
from enrollment.pipeline import EnrollmentService
from enrollment.pose import Pose, draw_poses
from enrollment.receipts import ReceiptIssuer
from enrollment.sessions import SessionStore
from enrollment.store import EnrollmentStore
from personhood.database import open_database
from personhood.keys import receipt_key, template_keys
from personhood.settings import Settings
from uniqueness.audit import AuditReport
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.ownership import Ownership
from uniqueness.store import GalleryStore

PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
}

PAGE_PACK: Final = "opencv"  # whose detector guides people on the kiosk page

POSES: Final[dict[str, Callable[[], tuple[Pose, ...]]]] = {
    "photograph": lambda: (Pose.FRONT,),
    "live": draw_poses,
}


@contextmanager
def open_service(settings: Settings) -> Iterator[FastAPI]:
    """The enrolment service, its gallery open for as long as the block runs.

    Raises:
        EnrollmentError: the model pack is not installed or not the pinned one.
        UniquenessError: another service runs on the database, or the gallery cannot be read.
    """
    pack = load_pack(settings.model_pack, settings.models_dir())
    detector, embedder = open_engine(pack, PROVIDERS[settings.device])
    engine = open_database(settings, upgrade=True)
    manifest = pack.manifest
    store = GalleryStore(engine, template_keys(settings))
    indexes = {manifest.model: FaissFlatIndex(manifest.embedding_size)}
    with Ownership(engine), Gallery.open(store, indexes, manifest.thresholds) as gallery:
        service = EnrollmentService(detector, embedder, gallery, EnrollmentStore(engine))
        app = create_app(
            FrontDesk(
                service,
                KioskRegistry(engine),
                SessionStore(engine),
                ReceiptIssuer(receipt_key(settings)),
                draw_poses=POSES[settings.capture],
            )
        )
        app.include_router(create_kiosk_router(_page_detector(settings)))
        yield app


def _page_detector(settings: Settings) -> Path:
    """The detector of the page, which needs not be the service's own."""
    return settings.models_dir() / PAGE_PACK / read_manifest(PAGE_PACK).detector.file.name


def open_kiosks(settings: Settings) -> KioskRegistry:
    """Who may enrol people."""
    return KioskRegistry(open_database(settings, upgrade=True))


def read_accepted_commitments(settings: Settings) -> list[int]:
    """Every accepted commitment, in the order of acceptance: what the publisher posts."""
    return EnrollmentStore(open_database(settings)).accepted_commitments()


def read_audit(settings: Settings) -> AuditReport:
    """The audit of this database as it stands."""
    return AuditReport.read(open_database(settings))


def plot_scores(settings: Settings, report: AuditReport, path: Path) -> None:
    """Write the audit's score histogram as PNG, with the thresholds of the model pack."""
    report.plot(path, read_manifest(settings.model_pack).thresholds)
