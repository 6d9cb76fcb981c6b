"""What the contracts cost, by receipts of anvil: `python -m benchmarks.gas [--json]`.

Ours beside Semaphore's own `validateProof`, which pays nobody, in one run on one chain, with real
proofs (about a minute of CPU time). Needs anvil, and `npm ci` in tests/interop for the Solidity.
"""

import argparse
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account

from contracts.artifacts import ContractArtifact
from distribution import claims, registry
from distribution.attestation import address_of
from distribution.batch import submit_batch
from distribution.chain import Chain
from distribution.deployment import NATIVE, TOKEN, Deployment, Terms, deploy
from distribution.local_node import start_local_node
from identity_proofs.artifacts import load_artifacts
from identity_proofs.group import Group
from identity_proofs.identity import Identity
from identity_proofs.proof import SemaphoreProof
from identity_proofs.prover import Prover
from personhood.settings import Settings

INTEROP = Path(__file__).parents[1] / "tests" / "interop"
KEYS = ["0x" + f"{i:02x}" * 32 for i in (1, 2, 3)]
BATCHES = (32, 100)
MEMBERS = 1 + sum(BATCHES)
FEE = 10**16

# Gas, by what costs it; the bars are those that the contracts were built to.
BARS = {
    "claim": 345_000,
    "claim in a batch of 32": 106_000,
    "claim in a batch of 100": 101_000,
    "commitment in an update of 100": 3_000,
}
OFFICIAL = "Semaphore.sol validateProof"


@dataclass(frozen=True)
class Pool:
    """A deployment with members, an open epoch, and a relayer that was paid before."""

    chain: Chain
    deployment: Deployment
    epoch: claims.EpochStatus
    relayer: str
    gas_of_update: int

    @classmethod
    def open(cls, chain: Chain, members: Sequence[Identity], *, token: str | None) -> "Pool":
        attesters = tuple(address_of(key) for key in KEYS)
        terms = Terms(attesters, quorum=2, amount=10**18, pool=10**21, token=token)
        deployment = deploy(chain, terms)
        signers = registry.local_attesters(chain, deployment, KEYS)
        commitments = [member.commitment for member in members]
        registry.publish(chain, deployment, commitments[:-100], signers)
        update = registry.publish(chain, deployment, commitments, signers)
        relayer = str(Account.create().address)
        if token == NATIVE:
            _send_coins(chain, deployment.distributor, 10**21)
            _send_coins(chain, relayer, 1)
        else:
            chain.transact(TOKEN, deployment.token, "mint", relayer, 1)
        epoch = claims.open_epoch(chain, deployment)
        return cls(chain, deployment, epoch, relayer, update.gas_used)

    def measure(
        self, prover: Prover, members: Sequence[Identity], batches: Sequence[int]
    ) -> dict[str, float]:
        """Members claim to fresh addresses: one alone, others in batches of these sizes."""
        group = claims.read_epoch_group(self.chain, self.deployment, self.epoch)
        proven = [
            claims.prove_claim(
                prover,
                member,
                group,
                self.deployment,
                epoch=self.epoch.epoch,
                recipient=str(Account.create().address),
                fee=FEE,
                relayer=self.relayer,
            )
            for member in members[: 1 + sum(batches)]
        ]
        alone = claims.submit_claim(self.chain, self.deployment, proven.pop())
        gas: dict[str, float] = {"claim": alone.gas_used}
        for size in batches:
            batch = [proven.pop() for _ in range(size)]
            done = submit_batch(self.chain, self.deployment, batch, self.epoch.root)
            if len(done.paid) != size:
                raise SystemExit(f"only {len(done.paid)} of {size} were paid")
            gas[f"claim in a batch of {size}"] = done.receipt.gas_used / size
        return gas


def official_gas(chain: Chain, prover: Prover) -> int:
    """What one `validateProof` costs, with a proof of the same depth."""
    done = subprocess.run(
        ["node", "compile_semaphore.mjs"], cwd=INTEROP, capture_output=True, text=True, check=True
    )
    compiled = json.loads(done.stdout)
    poseidon = chain.deploy(_artifact(compiled, "PoseidonT3"))
    verifier = chain.deploy(_artifact(compiled, "SemaphoreVerifier"))
    semaphore = _artifact(compiled, "Semaphore", {"PoseidonT3": poseidon})
    address = chain.deploy(semaphore, verifier)
    member = Identity.generate()
    group = Group([1, 2, 3, member.commitment])
    chain.transact(semaphore, address, "createGroup")
    chain.transact(semaphore, address, "addMembers", 0, list(group.members))
    proof = prover.prove(member, group.proof(3), scope=1, message=2)
    return chain.transact(semaphore, address, "validateProof", 0, _solidity(proof)).gas_used


def measure(chain: Chain, prover: Prover) -> dict[str, dict[str, float]]:
    """Gas by coin and step."""
    members = [Identity.generate() for _ in range(MEMBERS)]
    token = Pool.open(chain, members, token=None)
    native = Pool.open(chain, members, token=NATIVE)
    return {
        "token": {
            **token.measure(prover, members, BATCHES),
            "commitment in an update of 100": token.gas_of_update / 100,
        },
        "native coin": native.measure(prover, members, BATCHES[:1]),
        "official": {OFFICIAL: official_gas(chain, prover)},
    }


def _send_coins(chain: Chain, to: str, amount: int) -> None:
    sending = {"from": chain.sender, "to": to, "value": amount}
    chain._web3.eth.wait_for_transaction_receipt(
        chain._web3.eth.send_transaction(sending)  # type: ignore[arg-type]
    )


def _artifact(
    compiled: dict[str, Any], name: str, libraries: dict[str, str] | None = None
) -> ContractArtifact:
    contract = compiled[name]
    code = contract["bytecode"]
    for links in contract["links"].values():
        for library, places in links.items():
            for place in places:
                start, end = 2 * place["start"], 2 * (place["start"] + place["length"])
                code = code[:start] + (libraries or {})[library][2:] + code[end:]
    return ContractArtifact(name, "solc 0.8.23", "shanghai", "", contract["abi"], "0x" + code)


def _solidity(proof: SemaphoreProof) -> tuple[Any, ...]:
    """The official struct `SemaphoreProof`."""
    return (
        proof.merkle_tree_depth,
        proof.merkle_tree_root,
        proof.nullifier,
        proof.message,
        proof.scope,
        list(proof.points),
    )


def main() -> None:
    """Measure, print, and tell whether every bar is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gas")
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    prover = Prover(load_artifacts(Settings().artifacts_dir()))
    node = start_local_node()
    try:
        gas = measure(Chain.connect(node.url), prover)
    finally:
        node.close()
    if as_json:
        print(json.dumps(gas, indent=2))
        return
    official = gas["official"][OFFICIAL]
    print(f"{'gas on ' + node.name:<34}{'token':>10}{'native':>10}{'bar':>10}{'of official':>13}")
    for name, value in gas["token"].items():
        native = gas["native coin"].get(name)
        print(
            f"{name:<34}{value:>10,.0f}{f'{native:,.0f}' if native else '':>10}"
            f"{BARS[name]:>10,}{value / official:>13.2f}"
        )
    print(f"{OFFICIAL:<34}{official:>10,.0f}")


if __name__ == "__main__":
    main()
