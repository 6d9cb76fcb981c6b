"""What works beside a running service: the same database, and a gallery when one is needed."""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from enrollment.adjudication import AdjudicationService
from enrollment.examination import Examiner
from enrollment.face_models import open_models
from enrollment.packs import load_packs, read_manifests
from enrollment.recovery import Recoveries
from enrollment.reembedding import Reembedded, reembed
from enrollment.store import EnrollmentStore
from personhood.database import open_database
from personhood.galleries import shared_gallery
from personhood.keys import template_keys
from personhood.policy import decision_rule
from personhood.registers import open_journal
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
    """Opens a gallery for one enrolment; several may decide on one database."""

    def __init__(self, settings: Settings, engine: Engine, keyring: Keyring) -> None:
        self._settings = settings
        self._engine = engine
        self._keyring = keyring

    def __call__(self, probe: Probe, request_id: str, *, despite: Sequence[int]) -> Identification:
        """See `uniqueness.gallery.Gallery.identify_and_enroll`."""
        with _open_gallery(self._settings, self._engine, self._keyring) as gallery:
            return gallery.identify_and_enroll(probe, request_id, despite=despite)


def reembed_kept(settings: Settings, on_progress: Callable[[], None]) -> Reembedded:
    """Make templates of the model pack from the pictures that people let be kept.

    Raises:
        ModelMismatch: people were enrolled with a pack that is not named as the retiring one.
    """
    packs = load_packs(settings.model_pack, settings.models_dir())
    engine, keyring = open_database(settings), template_keys(settings)
    store = EnrollmentStore(engine, keyring, open_journal(settings, engine))
    with _open_gallery(settings, engine, keyring) as gallery:
        return reembed(store, gallery, Examiner(open_models(packs)), on_progress)


def _open_gallery(settings: Settings, engine: Engine, keyring: Keyring) -> Gallery:
    """A gallery beside the service's; its index is exact, in memory, whatever that one's is."""
    manifests = read_manifests(settings.model_pack)
    rule = decision_rule(settings, manifests)
    if settings.parties is not None:
        return shared_gallery(settings, engine, keyring, manifests, rule)
    retiring = None
    if settings.retiring_pack is not None:
        (old,) = read_manifests(settings.retiring_pack)
        retiring = Matching({old.model: FaissFlatIndex(old.embedding_size)}, old.thresholds)
    return Gallery.open(
        GalleryStore(engine, keyring),
        {m.model: FaissFlatIndex(m.embedding_size) for m in manifests},
        rule.policy,
        fusion=rule.fusion,
        retiring=retiring,
    )
