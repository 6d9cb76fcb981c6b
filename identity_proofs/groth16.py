"""What a Groth16 verifier is asked: the seam between the three that answer.

`groth16_kernel` is what `verifier` uses; `groth16_fast`, on arkworks, and `groth16_reference`, the
plain one, are what it is tested against. The equation (Groth, On the Size of Pairing-based
Non-interactive Arguments, 2016):

    e(A, B) = e(alpha, beta) e(L, gamma) e(C, delta),   L = IC_0 + sum of signal_i IC_i
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from identity_proofs.verification_key import VerificationKey


@dataclass(frozen=True)
class Equation:
    """One proof's pairing equation.

    `points` are A.x, A.y, B.x.c1, B.x.c0, B.y.c1, B.y.c0, C.x, C.y, not yet checked; `signals`
    are in [0, r), one less than the key's `ic`.
    """

    points: tuple[int, int, int, int, int, int, int, int]
    signals: tuple[int, ...]
    key: VerificationKey


Groth16: TypeAlias = Callable[[Sequence[Equation]], bool]
"""Tells whether all equations hold (of none: yes).

Raises `PointNotOnCurve` or `PointNotInSubgroup` if a proof's point is not a finite point of its
prime-order group, `ArtifactInvalid` if a key's is not.
"""
