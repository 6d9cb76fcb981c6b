"""Templates of another model, made from the pictures that people let be kept while enrolled.

Of each person's pictures the first is taken: every challenge begins with a look into the camera.
A gallery knows a request that it answered, so what broke off goes on when it is begun again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from enrollment.errors import CaptureRejected, FaceRejected
from enrollment.examination import Examiner
from enrollment.kept import Consent
from enrollment.pose import Pose
from enrollment.rows import Enrollment, EnrollmentStatus
from enrollment.store import EnrollmentStore
from uniqueness.errors import PersonRemoved
from uniqueness.gallery import Gallery
from uniqueness.schema import TemplateRow
from uniqueness.template import Probe


@dataclass
class Reembedded:
    """What became of the people enrolled.

    Args:
        made: have a template of the new models now, from their pictures.
        known: had one before.
        without_pictures: let none be kept; they move to the new model as they return.
        refused: have pictures that do not do for the new model.
    """

    made: int = 0
    known: int = 0
    without_pictures: int = 0
    refused: int = 0


def reembed(
    store: EnrollmentStore,
    gallery: Gallery,
    examiner: Examiner,
    on_progress: Callable[[], None] = lambda: None,
) -> Reembedded:
    """Give everybody who let pictures be kept templates of a gallery's own models.

    Args:
        store: of enrolments.
        gallery: of the new models, beside which those of before are being retired; a running
            service may have another one on the same database.
        examiner: of the new models alone.
        on_progress: told after each person.

    Raises:
        GalleryUnavailable, GalleryClosed, EnrollmentStoreUnavailable: calling again goes on.
    """
    result = Reembedded()
    for enrollment in store.of_status(EnrollmentStatus.ACCEPTED):
        outcome = _reembed_one(store, gallery, examiner, enrollment)
        setattr(result, outcome, getattr(result, outcome) + 1)
        on_progress()
    return result


def _reembed_one(
    store: EnrollmentStore, gallery: Gallery, examiner: Examiner, enrollment: Enrollment
) -> str:
    """Move one person on; names the field of `Reembedded` that counts it."""
    with store.database.read() as connection:
        person = store.persons.person_of(connection, enrollment.id)
        if person is None or Consent.ENROLLED not in enrollment.consents:
            return "without_pictures"
        has = select(TemplateRow.model).where(
            TemplateRow.person == person, TemplateRow.ciphertext.is_not(None)
        )
        if set(gallery.own_models) <= set(connection.scalars(has)):
            return "known"
        images = store.kept.images(connection, enrollment.id)
    if not images:
        return "without_pictures"
    try:
        probe = Probe(examiner.examine(images[:1], [Pose.FRONT]).templates)
    except (CaptureRejected, FaceRejected):
        return "refused"
    # With spaces, as no kiosk's idempotency key.
    request_id = f"reembedded {enrollment.id} {' '.join(sorted(probe.models))}"[:200]
    try:
        gallery.add_template(person, probe, request_id)
    except PersonRemoved:
        return "without_pictures"  # meanwhile
    return "made"
