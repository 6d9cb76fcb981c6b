"""What can go wrong with the decision log.

TransparencyError
├── EntryInvalid          the bytes of a leaf are no entry, or an entry cannot be written
├── ProofInvalid          an inclusion or consistency proof does not hold
├── NoteInvalid           a signed note is malformed, or not signed by the key that it should be
├── CheckpointInvalid     the text of a note is no checkpoint of this log
├── LogKeyInvalid         a verifier key is not one
├── LogRangeInvalid       the log has no such entries, or no such size
├── LogUnavailable        the log's database failed
├── LogUnreachable        whoever serves a log does not answer, or not as one
├── WitnessRefused        a witness does not cosign, or does not answer
├── NotWitnessed          no witness has cosigned the log yet
└── LogInconsistent       what is served is not what its checkpoint says; `finding` names how
"""

from typing import ClassVar


class TransparencyError(Exception):
    """Base of all; `code` is stable, the message says what to do."""

    code: ClassVar[str] = "transparency_error"


class EntryInvalid(TransparencyError):
    code = "log_entry_invalid"


class ProofInvalid(TransparencyError):
    code = "log_proof_invalid"


class NoteInvalid(TransparencyError):
    code = "log_note_invalid"


class CheckpointInvalid(TransparencyError):
    code = "log_checkpoint_invalid"


class LogKeyInvalid(TransparencyError):
    code = "log_key_invalid"


class LogRangeInvalid(TransparencyError):
    code = "log_range_invalid"


class LogUnavailable(TransparencyError):
    code = "log_unavailable"


class LogUnreachable(TransparencyError):
    code = "log_unreachable"


class WitnessRefused(TransparencyError):
    code = "witness_refused"


class NotWitnessed(TransparencyError):
    code = "log_not_witnessed"


class LogInconsistent(TransparencyError):
    """A log is not what it says, or was.

    Attributes:
        finding: a stable code, such as ``log_forked``.
    """

    code = "log_inconsistent"

    def __init__(self, finding: str, message: str) -> None:
        super().__init__(message)
        self.finding = finding
