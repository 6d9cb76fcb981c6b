"""Verify Semaphore proofs, one or many, including what the proof alone does not show.

The pairing equation is decided by `groth16_kernel`; `groth16_fast` or `groth16_reference` can take
its place.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from identity_proofs import groth16_kernel
from identity_proofs.errors import (
    BatchRefused,
    NullifierOutOfField,
    PairingFailed,
    ProofError,
    RootUnknown,
    RootZero,
    SignalOutOfField,
    WrongDepth,
    WrongMessage,
    WrongScope,
)
from identity_proofs.field import SCALAR_FIELD
from identity_proofs.groth16 import Equation, Groth16
from identity_proofs.proof import SemaphoreProof, to_field
from identity_proofs.verification_key import VerificationKey


@dataclass(frozen=True)
class ExpectedProof:
    """A proof and what it must show: the arguments of `verify_proof`, as a value."""

    proof: SemaphoreProof
    roots: Collection[int]
    scope: int
    message: int
    key: VerificationKey


def verify_proof(
    proof: SemaphoreProof,
    *,
    roots: Collection[int],
    scope: int,
    message: int,
    key: VerificationKey,
    groth16: Groth16 = groth16_kernel.all_hold,
) -> None:
    """Return if `proof` shows that a member of a group in `roots` sent `message` in `scope`.

    `scope` and `message` are the unhashed integers in [0, 2^256). Whether the nullifier was seen
    before is the caller's to know. The checks, each with its own error, in this order:

    1. The root is not 0 (`RootZero`) and is one of `roots` (`RootUnknown`).
    2. The scope is the expected one (`WrongScope`).
    3. The message is the expected one (`WrongMessage`).
    4. Nullifier and root are below r (`NullifierOutOfField`, `SignalOutOfField`).
    5. The circuit's depth is the key's (`WrongDepth`).
    6. The points are on the curve (`PointNotOnCurve`), B in the subgroup (`PointNotInSubgroup`).
    7. Groth16's pairing equation holds (`PairingFailed`).

    Raises `InvalidSignal` if the expected scope or message is out of range, `ArtifactInvalid` if
    the key's points are no points.
    """
    refusal = _refusal([_equation(ExpectedProof(proof, roots, scope, message, key))], groth16)
    if refusal is not None:
        raise refusal


def verify_batch(
    batch: Sequence[ExpectedProof], *, groth16: Groth16 = groth16_kernel.all_hold
) -> None:
    """Return if every member of `batch` would pass `verify_proof`; their keys may differ.

    Raises `BatchRefused` with the index of the first that would not and its error; to find it
    costs about as much again as the batch. Whether two members share a nullifier is the caller's
    to know. Raises `InvalidSignal` and `ArtifactInvalid` as `verify_proof` does.
    """
    equations: list[Equation] = []
    refusal: ProofError | None = None
    for expected in batch:
        try:
            equations.append(_equation(expected))
        except ProofError as error:
            refusal = error
            break
    # The equations before that member's may be wrong too, and the first is to be named.
    index, refusal = _first_refusal(equations, groth16) or (len(equations), refusal)
    if refusal is not None:
        raise BatchRefused(index, refusal) from refusal


def judge_batch(
    batch: Sequence[ExpectedProof], *, groth16: Groth16 = groth16_kernel.all_hold
) -> list[ProofError | None]:
    """What `verify_proof` would raise for each member of `batch`; None for those that pass.

    For members of different origins, of which one's lie must not cost the others. Where all pass
    it costs what `verify_batch` does; halving finds the others, at the worst for three times what
    verifying each alone would take.

    Raises `InvalidSignal` and `ArtifactInvalid` as `verify_proof` does.
    """
    verdicts: dict[int, ProofError] = {}
    equations: dict[int, Equation] = {}
    for index, expected in enumerate(batch):
        try:
            equations[index] = _equation(expected)
        except ProofError as error:
            verdicts[index] = error
    verdicts |= _refusals(equations, groth16)
    return [verdicts.get(index) for index in range(len(batch))]


def _equation(expected: ExpectedProof) -> Equation:
    """Make checks 1 to 5; what is left is the equation."""
    proof, key = expected.proof, expected.key
    if proof.merkle_tree_root == 0:
        raise RootZero("Root 0 is no group's; anyone can prove it.")
    if proof.merkle_tree_root not in expected.roots:
        raise RootUnknown("The proof's root is not accepted; prove against a current root.")
    if proof.scope != expected.scope:
        raise WrongScope("The proof was made for another scope.")
    if proof.message != expected.message:
        raise WrongMessage("The proof was made for another message.")
    if not 0 <= proof.nullifier < SCALAR_FIELD:
        raise NullifierOutOfField("The nullifier is not below the scalar field's order.")
    if not 0 <= proof.merkle_tree_root < SCALAR_FIELD:
        raise SignalOutOfField("The root is not below the scalar field's order.")
    if proof.merkle_tree_depth != key.depth:
        raise WrongDepth(f"Proofs must be made with the circuit of depth {key.depth}.")
    message, scope = to_field(expected.message), to_field(expected.scope)
    signals = (proof.merkle_tree_root, proof.nullifier, message, scope)
    return Equation(proof.points, signals, key)


def _first_refusal(equations: list[Equation], groth16: Groth16) -> tuple[int, ProofError] | None:
    """Find the first wrong equation by bisection."""
    refusal = _refusal(equations, groth16)
    if refusal is None:
        return None
    # All before `low` hold, not all before `high` do, and `refusal` is why.
    low, high = 0, len(equations)
    while high - low > 1:
        middle = (low + high) // 2
        in_lower_half = _refusal(equations[low:middle], groth16)
        if in_lower_half is None:
            low = middle
        else:
            high, refusal = middle, in_lower_half
    return low, refusal


def _refusals(equations: dict[int, Equation], groth16: Groth16) -> dict[int, ProofError]:
    """Find all wrong equations by halving."""
    refusal = _refusal(list(equations.values()), groth16)
    if refusal is None:
        return {}
    if len(equations) == 1:
        return dict.fromkeys(equations, refusal)
    items, half = list(equations.items()), len(equations) // 2
    return _refusals(dict(items[:half]), groth16) | _refusals(dict(items[half:]), groth16)


def _refusal(equations: list[Equation], groth16: Groth16) -> ProofError | None:
    """Why these equations do not all hold, or None."""
    try:
        if groth16(equations):
            return None
    except ProofError as error:
        return error
    return PairingFailed("The proof does not hold for its root, nullifier, scope and message.")
