"""The calls by which a relayer has claims paid."""

from collections.abc import Sequence

from distribution.batch import DEPTH, ProvenClaim, draw_weights, encode_batch, fold
from distribution.chain import Call, Chain
from distribution.claims import compute_message, compute_scope
from distribution.deployment import DISTRIBUTOR, Deployment
from distribution.relay_claims import RelayedClaim
from distribution.relay_epochs import Epoch
from identity_proofs.errors import BatchRefused
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, verify_batch

# More than is taken with a usual token (docs/contracts.md); where it is not, the node estimates.
BATCH_GAS, CLAIM_GAS = 400_000, 125_000


class Batches:
    """Encodes them for one relayer.

    Args:
        relayer: address that the claims name.
    """

    def __init__(self, chain: Chain, deployment: Deployment, relayer: str) -> None:
        self._chain = chain
        self._deployment = deployment
        self._relayer = relayer
        self._key = VerificationKey.load(DEPTH)

    def gas(self, claims: int) -> int:
        """What a batch of so many takes at most, as a rule."""
        return BATCH_GAS + CLAIM_GAS * claims

    def batch(self, epoch: Epoch, claims: Sequence[RelayedClaim]) -> Call:
        """All of them in one call."""
        proven = [claim.proven for claim in claims]
        address, chain_id = self._deployment.distributor, self._deployment.chain_id
        weights = draw_weights(chain_id, address, epoch.number, epoch.root, self._relayer, proven)
        folded = fold(proven, weights)
        return Call(address, encode_batch(epoch.number, self._relayer, proven, folded))

    def cheapest(self, epoch: Epoch, claims: Sequence[RelayedClaim]) -> Call:
        """A batch, or for one claim whatever takes less gas.

        Raises:
            ContractRefused: it is one claim, and would not be paid.
        """
        batch = self.batch(epoch, claims)
        if len(claims) > 1:
            return batch
        alone = self._alone(epoch, claims[0].proven)
        return min((alone, batch), key=lambda call: self._chain.estimate_gas(call, self._relayer))

    def _alone(self, epoch: Epoch, one: ProvenClaim) -> Call:
        terms = (epoch.number, one.recipient, one.fee, self._relayer)
        return self._chain.encode(
            DISTRIBUTOR,
            self._deployment.distributor,
            "claim",
            *terms,
            one.nullifier,
            list(one.points),
        )

    def first_invalid(self, epoch: Epoch, claims: Sequence[RelayedClaim]) -> int | None:
        """A reorg may have given the epoch another root since they were taken."""
        scope = compute_scope(self._deployment, epoch.number)
        expected = []
        for claim in claims:
            one = claim.proven
            message = compute_message(one.recipient, one.fee, self._relayer)
            a, b, c, d, e, f, g, h = one.points
            points = (a, b, c, d, e, f, g, h)
            proof = SemaphoreProof(DEPTH, epoch.root, one.nullifier, message, scope, points)
            expected.append(ExpectedProof(proof, (epoch.root,), scope, message, self._key))
        try:
            verify_batch(expected)
        except BatchRefused as named:
            return named.index
        return None
