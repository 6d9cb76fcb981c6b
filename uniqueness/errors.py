"""Every way a uniqueness decision can fail to be made.

A decision (unique, review, duplicate) is a value; these say that there is none.

    UniquenessError
    ├── InvalidTemplate        the vector is not a finite unit float32 vector
    ├── InvalidThresholds      not finite, or review above duplicate
    ├── InvalidFusion          models, maps and scores of a fusion that do not go together
    ├── CalibrationError
    │   ├── CalibrationImpossible       too few people or photographs, or targets out of order
    │   ├── CalibrationUnreadable       the file is no calibration, or is damaged
    │   ├── CalibrationVersionUnknown   made by another version of the program
    │   ├── CalibrationSignatureWrong   not signed by the operator's key, or changed since
    │   └── CalibrationOfOtherModel     measured with other models than the gallery's
    ├── ModelMismatch          a template of another model than the gallery's
    ├── GalleryOwned           another process owns this gallery
    ├── GalleryClosed          the gallery is not open (any more)
    ├── GalleryUnavailable     the database did not take or give the records
    └── SealError
        ├── InvalidKey         not a 256-bit key, or its file cannot be used
        ├── WrongKey           the records were sealed with another key
        └── RecordCorrupted    a record was changed after it was sealed
"""

from typing import ClassVar


class UniquenessError(Exception):
    """Base of all errors of this package; `code` is stable and goes on the wire."""

    code: ClassVar[str] = "uniqueness_error"


class InvalidTemplate(UniquenessError):
    """The vector cannot be a template."""

    code = "invalid_template"


class InvalidThresholds(UniquenessError):
    """The two thresholds do not make three bands."""

    code = "invalid_thresholds"


class InvalidFusion(UniquenessError):
    """The scores of these models cannot be made one score."""

    code = "invalid_fusion"


class CalibrationError(UniquenessError):
    """Base of the errors of calibrations."""

    code = "calibration_error"


class CalibrationImpossible(CalibrationError):
    """The photographs do not carry a calibration."""

    code = "calibration_impossible"


class CalibrationUnreadable(CalibrationError):
    """The file is no calibration."""

    code = "calibration_unreadable"


class CalibrationVersionUnknown(CalibrationError):
    """The file is of a format that this program does not know."""

    code = "calibration_version_unknown"


class CalibrationSignatureWrong(CalibrationError):
    """The file is not as the operator's key signed it."""

    code = "calibration_signature_wrong"


class CalibrationOfOtherModel(CalibrationError):
    """Thresholds of one model mean nothing to another."""

    code = "calibration_of_other_model"


class ModelMismatch(UniquenessError):
    """Scores between templates of different models mean nothing."""

    code = "model_mismatch"


class GalleryOwned(UniquenessError):
    """Two owners of one gallery could accept one person twice."""

    code = "gallery_owned"


class GalleryClosed(UniquenessError):
    """No decision is taken any more; the caller may retry after a restart."""

    code = "gallery_closed"


class GalleryUnavailable(UniquenessError):
    """The database failed; nothing was decided, and the same request may be retried."""

    code = "gallery_unavailable"


class SealError(UniquenessError):
    """Base of the errors of encryption at rest."""

    code = "seal_error"


class InvalidKey(SealError):
    """The template key cannot be used."""

    code = "template_key_invalid"


class WrongKey(SealError):
    """The gallery was sealed with another key."""

    code = "template_key_wrong"


class RecordCorrupted(SealError):
    """Authentication of a sealed record failed under the right key."""

    code = "template_corrupted"
