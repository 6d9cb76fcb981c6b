"""A deployment that was interrupted goes on where it stopped, whatever the terms."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.artifacts import ContractArtifact
from distribution import claims
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.deployment import DISTRIBUTOR, NATIVE, REGISTRY, TOKEN, WHOLE, Terms, deploy
from distribution.errors import (
    AddressInvalid,
    ChainUnreachable,
    DeploymentMismatch,
    TermsInvalid,
)
from distribution.local_node import LocalNode, start_local_node

pytestmark = pytest.mark.slow

KEYS = ["0x" + f"{i:02x}" * 32 for i in (3, 1, 2)]
TERMS = Terms(attesters=tuple(address_of(key) for key in KEYS), quorum=2)


@pytest.fixture(scope="module")
def node() -> Iterator[LocalNode]:
    node = start_local_node()
    yield node
    node.close()


@pytest.fixture
def chain(node: LocalNode) -> Chain:
    return Chain.connect(node.url)


class DyingChain(Chain):
    """Loses the node after some deployments."""

    left: int

    def deploy(self, artifact: ContractArtifact, *arguments: Any) -> str:
        if self.left == 0:
            raise ChainUnreachable("gone")
        self.left -= 1
        return super().deploy(artifact, *arguments)


@pytest.mark.parametrize("deployed", [0, 1, 2])
def test_an_interrupted_deployment_goes_on(
    node: LocalNode, chain: Chain, tmp_path: Path, deployed: int
) -> None:
    journal = tmp_path / "deployment.journal"
    dying = DyingChain.connect(node.url)
    dying.left = deployed
    with pytest.raises(ChainUnreachable):
        deploy(dying, TERMS, journal)
    done = json.loads(journal.read_text())

    deployment = deploy(chain, TERMS, journal).check(chain)

    kept = {name: done[name] for name in ("token", "registry") if name in done}
    assert len(kept) == deployed
    assert (
        kept.items()
        <= {
            "token": deployment.token,
            "registry": deployment.registry,
        }.items()
    )
    assert (deployment.block, deployment.genesis) == (done["block"], done["genesis"])
    again = deploy(chain, TERMS, journal)
    assert again == deployment
    assert chain.call(TOKEN, deployment.token, "totalSupply") == TERMS.pool


def test_a_journal_of_a_chain_that_was_reset_is_begun_anew(chain: Chain, tmp_path: Path) -> None:
    journal = tmp_path / "deployment.journal"
    first = deploy(chain, TERMS, journal)
    done = json.loads(journal.read_text())
    journal.write_text(json.dumps(done | {"registry": "0x" + "12" * 20, "block": 10**6}))
    anew = deploy(chain, TERMS, journal).check(chain)
    assert anew.block < 10**6
    assert not {first.registry, first.distributor, first.token} & set(anew.code_hashes)


def test_a_journal_is_of_its_own_terms(chain: Chain, tmp_path: Path) -> None:
    journal = tmp_path / "deployment.journal"
    deploy(chain, TERMS, journal)
    with pytest.raises(DeploymentMismatch, match="other terms"):
        deploy(chain, replace(TERMS, quorum=3), journal)
    journal.write_text("{")
    with pytest.raises(DeploymentMismatch, match="other terms"):
        deploy(chain, TERMS, journal)


def test_the_contracts_have_what_the_file_says(chain: Chain) -> None:
    terms = replace(
        TERMS, amount=0, share=WHOLE // 50, least_claimants=7, late_epochs=1, epoch_length=60
    )
    deployment = deploy(chain, terms)

    def ask(function: str) -> Any:
        return chain.call(DISTRIBUTOR, deployment.distributor, function)

    assert ask("registry") == deployment.registry
    assert ask("token") == deployment.token
    assert ask("genesis") == deployment.genesis
    assert ask("share") == deployment.share == WHOLE // 50
    assert ask("leastClaimants") == deployment.least_claimants == 7
    assert ask("migrationDelay") == deployment.migration_delay == 120
    addresses = chain.call(REGISTRY, deployment.registry, "attesters")
    assert tuple(addresses) == deployment.attesters
    assert list(addresses) == sorted(addresses, key=lambda address: int(address, 16))
    assert set(deployment.code_hashes) == {
        deployment.registry,
        deployment.distributor,
        deployment.token,
    }
    status = claims.read_epoch(chain, deployment)
    assert (status.amount, status.pool) == (0, terms.pool)


def test_the_native_coin(chain: Chain) -> None:
    deployment = deploy(chain, replace(TERMS, token=NATIVE)).check(chain)
    assert deployment.token == NATIVE
    chain._web3.eth.send_transaction(
        {"from": chain.sender, "to": deployment.distributor, "value": 5}  # type: ignore[typeddict-item]
    )
    assert claims.read_epoch(chain, deployment).pool == 5


@pytest.mark.parametrize(
    "change",
    [
        {"attesters": (), "quorum": 1},
        {"attesters": (TERMS.attesters[0],) * 2, "quorum": 1},
        {"attesters": tuple(f"0x{number:040x}" for number in range(1, 34))},
        {"quorum": 0},
        {"quorum": 4},
        {"amount": 0},
        {"share": 1, "least_claimants": 1},
        {"amount": 0, "share": WHOLE, "least_claimants": 1},
        {"amount": 0, "share": 1},
        {"least_claimants": 1},
        {"epoch_length": 0},
        {"late_epochs": -1},
        {"migration_delay": 1},
    ],
    ids=str,
)
def test_terms_that_contradict_themselves(change: dict[str, Any]) -> None:
    with pytest.raises(TermsInvalid):
        replace(TERMS, **change).checked()


def test_an_attester_that_is_no_address() -> None:
    with pytest.raises(AddressInvalid):
        replace(TERMS, attesters=("0x12",)).checked()
