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
    ├── TrialUnreadable        a file of counts that holds something else
    ├── ModelMismatch          a template of another model than the gallery's
    ├── GalleryOwned           another enrolment service runs on this database
    ├── PersonUnknown          no person ever had this number
    ├── PersonRemoved          the person was removed before
    ├── GalleryClosed          the gallery is not open (any more)
    ├── GalleryUnavailable     the database did not take or give the records
    │   ├── IndexUnavailable   the index's engine or device is not there, or failed
    │   └── PrivateMatchingError   the three parties that match without seeing templates
    │       ├── EngineNotInstalled the engine's environment is not there, or cannot be made
    │       ├── EngineFailed       the computation broke off; a retry is safe
    │       ├── PartyUnavailable   a party does not answer; a retry is safe
    │       ├── PartyRefused       it does not obey this caller, or cannot do what is asked
    │       ├── PartyBehind        its head is before the others'; it has to catch up
    │       ├── PartiesDisagree    heads, digests or answers differ: operators must look
    │       ├── SessionEnded       another session was opened, or the engine failed before
    │       ├── StepOutOfOrder     not the step after the last
    │       ├── ShareRefused       for another party or row, altered, used, or of another length
    │       ├── ShareMissing       the row was not prepared
    │       ├── ResharingRefused   pieces of another party, or that do not fit together
    │       └── TrustInvalid       keys or pins cannot be read, or do not belong together
    ├── InvalidIndexState      arrays that an index of this kind did not give
    ├── SnapshotError          no snapshot to start from; the database is read instead
    │   ├── SnapshotFormatUnknown  written by another version of this program
    │   ├── SnapshotDamaged        not as it was written
    │   └── SnapshotMismatch       of another gallery, model or past of this database
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


class TrialUnreadable(UniquenessError):
    """A line of a trial's file is no count of an error rate."""

    code = "trial_unreadable"


class ModelMismatch(UniquenessError):
    """Scores between templates of different models mean nothing."""

    code = "model_mismatch"


class GalleryOwned(UniquenessError):
    """A second enrolment service would take the first one's work under way for a crash's."""

    code = "gallery_owned"


class PersonUnknown(UniquenessError):
    """The gallery never gave this number to a person."""

    code = "person_unknown"


class PersonRemoved(UniquenessError):
    """The person was removed; the number is never given again."""

    code = "person_removed"


class GalleryClosed(UniquenessError):
    """No decision is taken any more; the caller may retry after a restart."""

    code = "gallery_closed"


class GalleryUnavailable(UniquenessError):
    """The database failed; nothing was decided, and the same request may be retried."""

    code = "gallery_unavailable"


class IndexUnavailable(GalleryUnavailable):
    """The engine or the device that holds the index failed, or is not there."""

    code = "index_unavailable"


class InvalidIndexState(UniquenessError):
    """An index cannot be restored from these arrays; it is rebuilt from the database instead."""

    code = "index_state_invalid"


class SnapshotError(UniquenessError):
    """Base of what keeps a snapshot from being used; the index is rebuilt from the database."""

    code = "gallery_snapshot_error"


class SnapshotFormatUnknown(SnapshotError):
    """The file is of another version, or no snapshot."""

    code = "gallery_snapshot_format_unknown"


class SnapshotDamaged(SnapshotError):
    """The file is not as it was written: cut short, changed, or put together from several."""

    code = "gallery_snapshot_damaged"


class SnapshotMismatch(SnapshotError):
    """The file is whole, but this database did not grow out of what it shows."""

    code = "gallery_snapshot_mismatch"


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


class PrivateMatchingError(GalleryUnavailable):
    """Base of the errors of the three parties; nothing was decided."""

    code = "private_matching_error"


class EngineNotInstalled(PrivateMatchingError):
    """There is no Python environment that the engine can run in."""

    code = "engine_not_installed"


class EngineFailed(PrivateMatchingError):
    """A link, a peer or the worker failed; the session is over, and nothing was lost."""

    code = "engine_failed"


class PartyUnavailable(PrivateMatchingError):
    """A party could not be reached, or is none that is pinned."""

    code = "party_unavailable"


class PartyRefused(PrivateMatchingError):
    """The caller may not ask this of the party, or nobody may."""

    code = "party_refused"


class PartyBehind(PrivateMatchingError):
    """The party has not seen everything that came before."""

    code = "party_behind"


class PartiesDisagree(PrivateMatchingError):
    """Two parties hold, or answer, what cannot both be right; matching stops until it is known."""

    code = "parties_disagree"


class SessionEnded(PrivateMatchingError):
    """The session is not open at this party (any more)."""

    code = "matching_session_ended"


class StepOutOfOrder(PrivateMatchingError):
    """A step was repeated or left out: the three might run different programs."""

    code = "matching_step_out_of_order"


class ShareRefused(PrivateMatchingError):
    """A share cannot be opened here, or does not fit."""

    code = "share_refused"


class ShareMissing(PrivateMatchingError):
    """A share that is named is not here."""

    code = "share_missing"


class ResharingRefused(PrivateMatchingError):
    """The pieces do not restore a store."""

    code = "resharing_refused"


class TrustInvalid(PrivateMatchingError):
    """A party's keys, or the file of those that it trusts, cannot be used."""

    code = "party_trust_invalid"
