"""A node on which a hundred members may claim at once, with proofs that are kept (`crowd.json`).

Its contracts have the addresses, and its chain the id, that those proofs name.
"""

from pathlib import Path

from distribution import claims
from distribution.addresses import parse_address
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR, NATIVE, TOKEN, Terms, deploy
from distribution.local_node import AnvilNode, start_local_node
from distribution.registry import local_attesters, publish
from identity_proofs.proof import SemaphoreProof
from tests.contracts.chain import CHAIN_ID, DEPLOYER_KEY
from tests.contracts.claims import (
    CROWD_FEE,
    CROWD_GROUP,
    RELAYER_KEY,
    Claim,
    message_of,
    read_crowd_claims,
    scope_of,
)
from tests.contracts.world import AMOUNT
from tests.integration.senders import Anvil

ATTESTER = "0x" + "01" * 32
POOL = 200 * AMOUNT
PAID = AMOUNT - CROWD_FEE


class CrowdNode(Anvil):
    """An open epoch, a pool for everybody, and a relayer's account with coins for gas.

    Args:
        state: file that the node writes.
        native: whether it pays the chain's own coin.
    """

    def __init__(self, state: Path | None = None, *, native: bool = False) -> None:
        node = start_local_node(state=state)
        assert isinstance(node, AnvilNode)
        self.node, self.url, self._state = node, node.url, state
        self.chain = Chain.connect(node.url)
        self._name_chain()
        self.chain = Chain.connect(node.url, DEPLOYER_KEY)  # which keeps the id that it is told
        for key in (DEPLOYER_KEY, RELAYER_KEY):
            self.ask("anvil_setBalance", address_of(key), hex(10**21))
        coin = self.chain.deploy(TOKEN, "Local coin", "LOCAL")
        token = NATIVE if native else coin
        terms = Terms((address_of(ATTESTER),), quorum=1, amount=AMOUNT, token=token)
        self.deployment = deploy(self.chain, terms)
        if native:
            self.ask("anvil_setBalance", self.deployment.distributor, hex(POOL))
        else:
            self.chain.transact(TOKEN, coin, "mint", self.deployment.distributor, POOL)
        signers = local_attesters(self.chain, self.deployment, [ATTESTER])
        publish(self.chain, self.deployment, list(CROWD_GROUP.members), signers)
        claims.open_epoch(self.chain, self.deployment)
        self.claims = [self._claim(kept) for kept in read_crowd_claims()]

    def start_again(self) -> None:
        """A new process on the same port, with the state that was written."""
        super().start_again()
        self._name_chain()

    def paid(self) -> list[str]:
        """Who was paid, in order."""
        events = self.chain.events(DISTRIBUTOR, self.deployment.distributor, "Claimed", 0)
        return [event["recipient"] for event in events]

    def balance(self, address: str) -> int:
        return claims.balance_of(self.chain, self.deployment, address)

    def _name_chain(self) -> None:
        self.ask("anvil_setChainId", CHAIN_ID)

    def _claim(self, kept: Claim) -> claims.Claim:
        scope = scope_of(CHAIN_ID, self.deployment.distributor, kept.epoch)
        message = message_of(kept.recipient, kept.fee, kept.relayer)
        a, b, c, d, e, f, g, h = kept.points
        points = (a, b, c, d, e, f, g, h)
        proof = SemaphoreProof(27, CROWD_GROUP.root, kept.nullifier, message, scope, points)
        recipient, relayer = parse_address(kept.recipient), parse_address(kept.relayer)
        return claims.Claim(kept.epoch, recipient, kept.fee, relayer, proof)
