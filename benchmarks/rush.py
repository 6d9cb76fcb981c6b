"""What the benchmarks of a relayer share: a chain of members with proofs, and a relayer on it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rich.progress import track

from distribution import claims, registry
from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.deployment import Deployment, Terms, deploy
from distribution.local_node import AnvilNode, start_local_node
from identity_proofs.artifacts import load_artifacts
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from personhood.settings import Settings

ATTESTER = "0x" + "01" * 32
RELAYER_KEY = bytes(range(32, 64))
RELAYER = address_of("0x" + RELAYER_KEY.hex())
FEE, AMOUNT = 10**16, 10**18
MEMBERS = 2000  # whoever claims, so that kept proofs serve runs of any size
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rush:
    """A chain on which everybody is a member, and their claims, ready to be posted."""

    node: AnvilNode
    chain: Chain
    deployment: Deployment
    bodies: list[str]


def open_rush(count: int, proofs: Path) -> Rush:
    """Addresses follow from keys and nonces, so that kept proofs hold on every run's chain."""
    node = start_local_node()
    if not isinstance(node, AnvilNode):
        raise SystemExit("this needs anvil")
    chain = Chain.connect(node.url)
    terms = Terms((address_of(ATTESTER),), quorum=1, amount=AMOUNT, pool=(MEMBERS + 1) * AMOUNT)
    deployment = deploy(chain, terms)
    members = [Identity.from_private_key(f"rush {number}".encode()) for number in range(MEMBERS)]
    commitments = [member.commitment for member in members]
    signers = registry.local_attesters(chain, deployment, [ATTESTER])
    registry.publish(chain, deployment, commitments, signers)
    claims.open_epoch(chain, deployment)
    bodies = list(_bodies(chain, deployment, members, count, proofs))
    return Rush(node, chain, deployment, bodies)


def _bodies(
    chain: Chain, deployment: Deployment, members: Sequence[Identity], count: int, folder: Path
) -> Iterator[str]:
    epoch = claims.read_epoch(chain, deployment)
    group = claims.read_epoch_group(chain, deployment, epoch)
    folder = folder / f"{group.root:064x}-{deployment.distributor}"
    folder.mkdir(parents=True, exist_ok=True)
    prover: Prover | None = None
    for number, member in track(list(enumerate(members[:count])), "proofs", transient=True):
        path = folder / f"{number}.json"
        if not path.exists():
            prover = prover or Prover(load_artifacts(Settings().artifacts_dir()))
            recipient = to_checksum_address(keccak(f"recipient {number}".encode())[:20])
            claim = claims.prove_claim(
                prover,
                member,
                group,
                deployment,
                epoch=epoch.epoch,
                recipient=recipient,
                fee=FEE,
                relayer=RELAYER,
            )
            body = {
                "epoch": claim.epoch,
                "recipient": claim.recipient,
                "fee": str(FEE),
                "proof": claim.proof.to_dict(),
            }
            path.write_text(json.dumps(body))
        yield path.read_text()


@contextmanager
def started_relayer(rush: Rush, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The process of a relayer, perhaps before it answers, and its port."""
    rush.deployment.write(home / "deployment.json")
    key = home / "relayer.key"
    key.touch(mode=0o600)
    key.write_bytes(RELAYER_KEY)
    port = 20_000 + os.getpid() % 10_000
    environment = os.environ | {
        "PERSONHOOD_HOME": str(home),
        "PERSONHOOD_RPC_URL": rush.node.url,
        "PERSONHOOD_RELAYER_REQUESTS": str(10**6),
        "PERSONHOOD_RELAYER_AGE": "5",
        "PERSONHOOD_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "personhood", "relayer", "run", "--port", str(port)]
    with (home / "relayer.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running_relayer(rush: Rush, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The same, once it answers."""
    with started_relayer(rush, home) as (process, port):
        while not _answers(f"http://127.0.0.1:{port}"):
            if process.poll() is not None:
                raise SystemExit((home / "relayer.log").read_text())
            time.sleep(0.1)
        yield process, port


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/relayer").status_code == 200
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class Mark:
    """A moment, and the CPU seconds until then, by who spent them."""

    at: float
    spent: dict[str, float]

    @classmethod
    def now(cls, rush: Rush, relayer: subprocess.Popen[bytes] | None = None) -> "Mark":
        spent = {
            **(_of_threads(relayer) if relayer is not None else {}),
            "node": cpu_seconds(rush.node.process.pid),
            "clients": time.process_time(),
        }
        return cls(time.monotonic(), spent)

    def since(self, before: "Mark") -> dict[str, float]:
        return {who: seconds - before.spent[who] for who, seconds in self.spent.items()}


def _of_threads(relayer: subprocess.Popen[bytes]) -> dict[str, float]:
    # By their age: the one that sends is started before any that verifies.
    tasks = sorted(int(task.name) for task in Path(f"/proc/{relayer.pid}/task").iterdir())
    main, sending = [*(cpu_seconds(relayer.pid, task) for task in tasks[:2]), 0.0][:2]
    whole = cpu_seconds(relayer.pid)
    return {
        "relayer": whole,
        "- HTTP": main,
        "- sending and settling": sending,
        "- verifying and queueing": whole - main - sending,
    }


def fees_paid(rush: Rush) -> int:
    return claims.balance_of(rush.chain, rush.deployment, RELAYER)


def ask(rush: Rush, method: str, *parameters: Any) -> Any:
    answer = rush.chain._web3.provider.make_request(method, list(parameters))  # type: ignore[arg-type]
    if "error" in answer:
        raise SystemExit(str(answer["error"]))
    return answer["result"]


def cpu_seconds(pid: int, task: int | None = None) -> float:
    """Of all threads of a process, or of one."""
    process = Path(f"/proc/{pid}")
    stat = process / "stat" if task is None else process / "task" / str(task) / "stat"
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
