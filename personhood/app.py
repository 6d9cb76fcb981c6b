"""The composition root: what is made of what, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from enrollment.api import create_app
from enrollment.extraction import open_models
from enrollment.manifest import Manifest
from enrollment.packs import ModelPack, load_pack, load_packs, read_manifests
from enrollment.pipeline import EnrollmentService
from enrollment.store import EnrollmentStore
from personhood.database import open_database
from personhood.keys import kiosk_token, template_keys
from personhood.policy import decision_rule
from personhood.settings import Settings
from uniqueness.audit import AuditReport
from uniqueness.gallery import Gallery
from uniqueness.index import GalleryIndex
from uniqueness.indexes import open_index
from uniqueness.matching import Matching
from uniqueness.ownership import Ownership
from uniqueness.snapshot import Snapshot
from uniqueness.store import GalleryStore

PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
}


@contextmanager
def open_service(settings: Settings) -> Iterator[FastAPI]:
    """The enrolment service, its gallery open for as long as the block runs.

    Raises:
        EnrollmentError: the model pack is not installed or not the pinned one.
        CalibrationMissing: the model pack fuses several models, and no calibration is set.
        UniquenessError: another service runs on the database, the gallery cannot be read, or
            the calibration is not this operator's, or of other models.
    """
    packs = load_packs(settings.model_pack, settings.models_dir())
    rule = decision_rule(settings, [pack.manifest for pack in packs])
    retiring = _retiring(settings)
    first, *further = open_models([*packs, *retiring], PROVIDERS[settings.device])
    engine = open_database(settings, upgrade=True)
    keyring = template_keys(settings)
    store = GalleryStore(engine, keyring)
    snapshot = Snapshot(settings.snapshot_file(), keyring, store)
    indexes = {p.manifest.model: _index(settings, store, p.manifest) for p in packs}
    with (
        Ownership(engine),
        Gallery.open(
            store,
            indexes,
            rule.policy,
            fusion=rule.fusion,
            retiring=_matching(settings, store, retiring[0].manifest) if retiring else None,
            snapshot=snapshot,
        ) as gallery,
    ):
        service = EnrollmentService(
            first.detector, first.embedder, gallery, EnrollmentStore(engine), further
        )
        yield create_app(service, kiosk_token=kiosk_token(settings))


def _retiring(settings: Settings) -> tuple[ModelPack, ...]:
    """The pack that people were enrolled with before, if they are to move to another."""
    if settings.retiring_pack is None:
        return ()
    return (load_pack(settings.retiring_pack, settings.models_dir()),)


def _matching(settings: Settings, store: GalleryStore, manifest: Manifest) -> Matching:
    return Matching({manifest.model: _index(settings, store, manifest)}, manifest.thresholds)


def _index(settings: Settings, store: GalleryStore, manifest: Manifest) -> GalleryIndex:
    """The index that the settings ask for, for the templates of one model."""
    return open_index(
        settings.index,
        manifest.embedding_size,
        model=manifest.model,
        vectors_of=partial(store.vectors_of, dimension=manifest.embedding_size),
        milvus_uri=settings.milvus_uri,
        milvus_token=settings.milvus_access(),
    )


def read_accepted_commitments(settings: Settings) -> list[int]:
    """Every accepted commitment, in the order of acceptance: what the publisher posts."""
    return EnrollmentStore(open_database(settings)).accepted_commitments()


def read_audit(settings: Settings) -> AuditReport:
    """The audit of this database as it stands."""
    rule = decision_rule(settings, read_manifests(settings.model_pack))
    return AuditReport.read(open_database(settings), rule.policy)


def plot_scores(settings: Settings, report: AuditReport, path: Path) -> None:
    """Write the audit's score histogram as PNG, with the thresholds for as many people."""
    rule = decision_rule(settings, read_manifests(settings.model_pack))
    report.plot(path, rule.policy.at(report.people_enrolled))
