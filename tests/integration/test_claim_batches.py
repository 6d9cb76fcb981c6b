"""Batches against anvil: py-evm's pairing would take minutes for one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_account import Account

from distribution import claims
from distribution.attestation import address_of
from distribution.batch import submit_batch
from distribution.chain import Chain
from distribution.deployment import Deployment, Terms, deploy
from distribution.errors import BatchInvalid
from distribution.local_node import start_local_node
from distribution.registry import local_attesters, publish
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover

pytestmark = pytest.mark.slow

KEY = "0x" + "01" * 32
TERMS = Terms(attesters=(address_of(KEY),), quorum=1, amount=5, pool=8)


@pytest.fixture
def chain() -> Iterator[Chain]:
    node = start_local_node()
    yield Chain.connect(node.url)
    node.close()


@pytest.fixture
def deployment(chain: Chain) -> Deployment:
    return deploy(chain, TERMS)


def fresh_address() -> str:
    return str(Account.create().address)


def test_a_batch_is_paid_and_a_lie_in_it_is_named(
    chain: Chain, deployment: Deployment, prover: Prover
) -> None:
    members = [Identity.generate() for _ in range(3)]
    commitments = [member.commitment for member in members]
    publish(chain, deployment, commitments, local_attesters(chain, deployment, [KEY]))
    epoch = claims.open_epoch(chain, deployment)
    group = claims.read_epoch_group(chain, deployment, epoch)
    relayer = fresh_address()
    batch = [
        claims.prove_claim(
            prover,
            member,
            group,
            deployment,
            epoch=epoch.epoch,
            recipient=fresh_address(),
            fee=1,
            relayer=relayer,
        )
        for member in members
    ]
    for index in range(3):
        lie = replace(batch[index], recipient=fresh_address())
        with pytest.raises(BatchInvalid, match=f"claim {index}") as caught:
            submit_batch(chain, deployment, [*batch[:index], lie, *batch[index + 1 :]], epoch.root)
        assert caught.value.index == index
    with pytest.raises(BatchInvalid, match="another epoch or relayer"):
        submit_batch(chain, deployment, [batch[0], replace(batch[1], epoch=9)], epoch.root)
    with pytest.raises(BatchInvalid, match="1 to 100"):
        submit_batch(chain, deployment, [], epoch.root)

    done = submit_batch(chain, deployment, [batch[0], batch[0], batch[1]], epoch.root)

    nullifiers = [claim.proof.nullifier for claim in batch]
    assert done.paid == {nullifiers[0]}  # 8 in the pool pays one claim of 5
    assert done.skipped == {
        nullifiers[0]: "already claimed",
        nullifiers[1]: "pool too low",
    }
    assert claims.balance_of(chain, deployment, batch[0].recipient) == TERMS.amount - 1
    assert claims.balance_of(chain, deployment, relayer) == 1
