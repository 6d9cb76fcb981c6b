"""The adjudicators' service beside a running one: the same database, and a gallery when needed."""

from collections.abc import Sequence

from sqlalchemy import Engine

from enrollment.adjudication import AdjudicationService
from enrollment.packs import read_manifests
from enrollment.recovery import Recoveries
from enrollment.store import EnrollmentStore
from personhood.app import open_journal
from personhood.database import open_database
from personhood.keys import template_keys
from personhood.policy import decision_rule
from personhood.settings import Settings
from uniqueness.candidates import Identification
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.gallery import Gallery
from uniqueness.matching import Matching
from uniqueness.sealing import Keyring
from uniqueness.store import GalleryStore
from uniqueness.template import Probe


def open_adjudication(settings: Settings) -> AdjudicationService:
    """Let people decide reviews from the command line."""
    engine, keyring = open_database(settings), template_keys(settings)
    manifests = read_manifests(settings.model_pack)
    rule = decision_rule(settings, manifests)
    models = "+".join(manifest.model for manifest in manifests)
    journal = open_journal(settings, engine, models, rule.version)
    store = EnrollmentStore(engine, keyring, journal)
    return AdjudicationService(
        store,
        Recoveries(store, settings.recovery_days),
        _OwnGallery(settings, engine, keyring),
    )


class _OwnGallery:
    """Opens a gallery for one enrolment; several may decide on one database.

    Its index is exact and in memory, read from the database, whatever the service's own is.
    """

    def __init__(self, settings: Settings, engine: Engine, keyring: Keyring) -> None:
        self._settings = settings
        self._engine = engine
        self._keyring = keyring

    def __call__(self, probe: Probe, request_id: str, *, despite: Sequence[int]) -> Identification:
        """See `uniqueness.gallery.Gallery.identify_and_enroll`."""
        manifests = read_manifests(self._settings.model_pack)
        rule = decision_rule(self._settings, manifests)
        indexes = {m.model: FaissFlatIndex(m.embedding_size) for m in manifests}
        with Gallery.open(
            GalleryStore(self._engine, self._keyring),
            indexes,
            rule.policy,
            fusion=rule.fusion,
            retiring=self._retiring(),
        ) as gallery:
            return gallery.identify_and_enroll(probe, request_id, despite=despite)

    def _retiring(self) -> Matching | None:
        if self._settings.retiring_pack is None:
            return None
        (manifest,) = read_manifests(self._settings.retiring_pack)
        index = FaissFlatIndex(manifest.embedding_size)
        return Matching({manifest.model: index}, manifest.thresholds)
