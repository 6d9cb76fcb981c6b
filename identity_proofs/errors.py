"""The errors of identity_proofs.

IdentityProofsError
├── InvalidCommitment           commitment_invalid
├── MemberExists                member_exists
├── UnknownMember               member_unknown
├── InvalidPrivateKey           private_key_invalid
├── PhraseError
│   ├── WrongWordCount          phrase_word_count_wrong
│   ├── UnknownWord             phrase_word_unknown
│   ├── WrongPhraseChecksum     phrase_checksum_wrong
│   └── NoPhraseForKey          phrase_key_unsupported
├── InvalidStatement            statement_invalid
├── InvalidMerkleProof          merkle_proof_invalid
├── InvalidSignal               signal_invalid
├── ArtifactError
│   ├── ArtifactsMissing        artifacts_missing
│   ├── ArtifactDigestMismatch  artifact_digest_mismatch
│   ├── ArtifactInvalid         artifact_invalid
│   └── ArtifactsUnwritable     artifacts_unwritable
├── ProvingFailed               proving_failed
├── ProofError
│   ├── MalformedProof          proof_malformed
│   ├── RootZero                proof_root_zero
│   ├── RootUnknown             proof_root_unknown
│   ├── WrongScope              proof_scope_wrong
│   ├── WrongMessage            proof_message_wrong
│   ├── NullifierOutOfField     proof_nullifier_out_of_field
│   ├── SignalOutOfField        proof_signal_out_of_field
│   ├── WrongDepth              proof_depth_wrong
│   ├── PointNotOnCurve         proof_point_not_on_curve
│   ├── PointNotInSubgroup      proof_point_not_in_subgroup
│   ├── PairingFailed           proof_pairing_failed
│   └── BatchRefused            proof_batch_refused
├── GroupFileError
│   ├── GroupFileMissing        group_file_missing
│   ├── GroupFileDamaged        group_file_damaged
│   └── GroupFileLocked         group_file_locked
├── SnapshotError
│   ├── SnapshotFileMissing     snapshot_file_missing
│   ├── SnapshotFileTampered    snapshot_file_tampered
│   ├── SnapshotManifestInvalid snapshot_manifest_invalid
│   ├── SnapshotFileInvalid     snapshot_file_invalid
│   ├── SnapshotRootMismatch    snapshot_root_mismatch
│   └── SnapshotGroupChanged    snapshot_group_changed
└── KeystoreError
    ├── KeystoreExists          keystore_exists
    ├── KeystoreMissing         keystore_missing
    ├── KeystoreDamaged         keystore_damaged
    ├── UnsupportedKeystore     keystore_version_unsupported
    ├── UnstorableKey           keystore_key_unsupported
    └── WrongPassword           keystore_password_wrong

No message holds a secret: neither key, password, nor witness.
"""

from typing import ClassVar


class IdentityProofsError(Exception):
    """Root of the tree. `code` is stable and meant for machines."""

    code: ClassVar[str] = "identity_proofs_error"


class InvalidCommitment(IdentityProofsError):
    """Not a number, zero, or not below the scalar field's order."""

    code = "commitment_invalid"


class MemberExists(IdentityProofsError):
    """The commitment is a member already."""

    code = "member_exists"


class UnknownMember(IdentityProofsError):
    """No member has this index or commitment, or it was removed."""

    code = "member_unknown"


class InvalidPrivateKey(IdentityProofsError):
    """The text is no exported private key."""

    code = "private_key_invalid"


class PhraseError(IdentityProofsError):
    """A backup phrase cannot be made or read."""

    code = "phrase_error"


class WrongWordCount(PhraseError):
    """The phrase has not 24 words."""

    code = "phrase_word_count_wrong"


class UnknownWord(PhraseError):
    """A word is not of BIP-39's English list; `position` counts from 1."""

    code = "phrase_word_unknown"

    def __init__(self, position: int) -> None:
        # The word itself could be a secret mistyped by one letter: only its place is told.
        super().__init__(f"Word {position} is not in the list of words; check its spelling.")
        self.position = position


class WrongPhraseChecksum(PhraseError):
    """Every word is in the list, but they do not belong together in this order."""

    code = "phrase_checksum_wrong"


class NoPhraseForKey(PhraseError):
    """24 words hold a private key of 32 bytes, no other."""

    code = "phrase_key_unsupported"


class InvalidStatement(IdentityProofsError):
    """A wallet's enrolment statement is none, or does not answer the challenge."""

    code = "statement_invalid"


class InvalidMerkleProof(IdentityProofsError):
    """The Merkle proof does not show that this identity is a member."""

    code = "merkle_proof_invalid"


class InvalidSignal(IdentityProofsError):
    """A scope or message that is no unsigned 256-bit integer and cannot become one."""

    code = "signal_invalid"


class ArtifactError(IdentityProofsError):
    """A file of the circuit cannot be used."""

    code = "artifact_error"


class ArtifactsMissing(ArtifactError):
    """The circuit's files are not where they were looked for."""

    code = "artifacts_missing"


class ArtifactDigestMismatch(ArtifactError):
    """A file is not the one of the official ceremony."""

    code = "artifact_digest_mismatch"


class ArtifactInvalid(ArtifactError):
    """A file does not have the format its name says."""

    code = "artifact_invalid"


class ArtifactsUnwritable(ArtifactError):
    """The cache directory cannot be written."""

    code = "artifacts_unwritable"


class ProvingFailed(IdentityProofsError):
    """The circuit refused the inputs."""

    code = "proving_failed"


class ProofError(IdentityProofsError):
    """The proof is refused."""

    code = "proof_invalid"


class MalformedProof(ProofError):
    """The text is no Semaphore proof."""

    code = "proof_malformed"


class RootZero(ProofError):
    """Root 0: the empty group's, which a non-member can prove."""

    code = "proof_root_zero"


class RootUnknown(ProofError):
    """The root is none of those accepted."""

    code = "proof_root_unknown"


class WrongScope(ProofError):
    """The proof was made for another scope."""

    code = "proof_scope_wrong"


class WrongMessage(ProofError):
    """The proof was made for another message."""

    code = "proof_message_wrong"


class NullifierOutOfField(ProofError):
    """The nullifier is an alias of a smaller one."""

    code = "proof_nullifier_out_of_field"


class SignalOutOfField(ProofError):
    """A public signal is not below the scalar field's order."""

    code = "proof_signal_out_of_field"


class WrongDepth(ProofError):
    """The proof was made with the circuit of another depth."""

    code = "proof_depth_wrong"


class PointNotOnCurve(ProofError):
    """A point of the proof has coordinates out of range or off the curve."""

    code = "proof_point_not_on_curve"


class PointNotInSubgroup(ProofError):
    """The proof's G2 point is on the curve but outside the prime-order subgroup."""

    code = "proof_point_not_in_subgroup"


class PairingFailed(ProofError):
    """The pairing equation does not hold."""

    code = "proof_pairing_failed"


class BatchRefused(ProofError):
    """A member of a batch is refused: the first at fault has this `index`, for this `reason`."""

    code = "proof_batch_refused"

    def __init__(self, index: int, reason: ProofError) -> None:
        super().__init__(f"Proof {index} of the batch is refused: {reason}")
        self.index = index
        self.reason = reason


class GroupFileError(IdentityProofsError):
    """A group on disk cannot be used."""

    code = "group_file_error"


class GroupFileMissing(GroupFileError):
    """The directory holds no group."""

    code = "group_file_missing"


class GroupFileDamaged(GroupFileError):
    """The files do not fit together."""

    code = "group_file_damaged"


class GroupFileLocked(GroupFileError):
    """Another writer has the group open."""

    code = "group_file_locked"


class SnapshotError(IdentityProofsError):
    """A group's snapshot cannot be written or read."""

    code = "snapshot_error"


class SnapshotFileMissing(SnapshotError):
    """A file of the snapshot cannot be fetched."""

    code = "snapshot_file_missing"


class SnapshotFileTampered(SnapshotError):
    """A file's content is not the one that it is named for."""

    code = "snapshot_file_tampered"


class SnapshotManifestInvalid(SnapshotError):
    """The manifest is not one of this format."""

    code = "snapshot_manifest_invalid"


class SnapshotFileInvalid(SnapshotError):
    """A file holds another number of nodes than its place asks for, or none at all."""

    code = "snapshot_file_invalid"


class SnapshotRootMismatch(SnapshotError):
    """The snapshot is of another group than the one with the root that was given."""

    code = "snapshot_root_mismatch"


class SnapshotGroupChanged(SnapshotError):
    """The group changed while its snapshot was written."""

    code = "snapshot_group_changed"


class KeystoreError(IdentityProofsError):
    """An identity cannot be stored or read."""

    code = "keystore_error"


class KeystoreExists(KeystoreError):
    """There is a file at the path already; it is never overwritten."""

    code = "keystore_exists"


class KeystoreMissing(KeystoreError):
    """There is no file at the path."""

    code = "keystore_missing"


class KeystoreDamaged(KeystoreError):
    """The file is no keystore, or parts of it are missing or do not fit together."""

    code = "keystore_damaged"


class UnsupportedKeystore(KeystoreError):
    """The keystore has another version, cipher or key derivation."""

    code = "keystore_version_unsupported"


class UnstorableKey(KeystoreError):
    """The private key is empty, or longer than a keystore holds."""

    code = "keystore_key_unsupported"


class WrongPassword(KeystoreError):
    """The password does not open the keystore."""

    code = "keystore_password_wrong"
