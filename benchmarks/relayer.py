"""An opening rush: `python -m benchmarks.relayer [--claims 2000] [--proofs FOLDER] [--json]`.

Everybody claims at once at a relayer, the real command, which pays all of them on anvil. Then the
same transactions go straight to the node, which is the least that paying them can take. Proofs are
made beforehand (half a second of CPU time each) and kept in the folder for the next run.

The relayer's time is told by thread: the main one speaks HTTP, one sends, follows and settles, and
those left verify claims and queue them.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
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
from distribution.database import Database
from distribution.deployment import Deployment, Terms, deploy
from distribution.journal import Journal
from distribution.local_node import AnvilNode, start_local_node
from distribution.sent import Sent, SentState
from identity_proofs.artifacts import load_artifacts
from identity_proofs.identity import Identity
from identity_proofs.prover import Prover
from personhood.relayer_app import engine_of_relayer
from personhood.settings import Settings

ATTESTER = "0x" + "01" * 32
RELAYER_KEY = bytes(range(32, 64))
RELAYER = address_of("0x" + RELAYER_KEY.hex())
FEE, AMOUNT = 10**16, 10**18
MEMBERS = 2000  # whoever claims, so that kept proofs serve runs of any size
CLIENTS = 256  # connections
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
def running_relayer(rush: Rush, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
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
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise SystemExit((home / "relayer.log").read_text())
            time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/relayer").status_code == 200
    except httpx.TransportError:
        return False


def measure(rush: Rush, home: Path) -> dict[str, float]:
    """Seconds and CPU seconds, from the first request to the last payment."""
    snapshot = _ask(rush, "evm_snapshot")
    count = len(rush.bodies)
    with running_relayer(rush, home) as (process, port):
        marks = [Mark.now(rush, process)]
        posts = [_request("POST", "/v1/claims", body) for body in rush.bodies]
        answers = asyncio.run(ask_all(port, posts))
        marks.append(Mark.now(rush, process))
        while _fees_paid(rush) < count * FEE:
            time.sleep(0.2)
        marks.append(Mark.now(rush, process))
        states = _follow(port, [told["id"] for told in answers])
        marks.append(Mark.now(rush, process))
    if set(states) != {"finalised"}:
        raise SystemExit(f"not all are settled: {set(states)}")
    sent = _sent(rush, home)
    _ask(rush, "evm_revert", snapshot)
    straight = _straight(rush, sent)
    began, queued, paid, told = marks
    spent, pace = paid.since(began), count / (paid.at - began.at)
    return {
        "claims": count,
        "transactions": len(sent),
        "seconds until the last is queued": queued.at - began.at,
        "seconds until the last is paid": paid.at - began.at,
        "claims queued a second": count / (queued.at - began.at),
        "claims paid a second": pace,
        "claims a second, straight to the node": count / straight,
        "share of that, %": 100 * pace * straight / count,
        "share of a core that the node was busy, %": 100 * spent["node"] / (paid.at - began.at),
        **{f"{who}, CPU ms a claim": 1000 * seconds / count for who, seconds in spent.items()},
        "relayer, CPU ms a look at a claim": 1000 * told.since(paid)["relayer"] / count,
        "gas a claim": sum(one.gas_used or 0 for one in sent) / count,
    }


@dataclass(frozen=True)
class Mark:
    """A moment, and the CPU seconds until then, by who spent them."""

    at: float
    spent: dict[str, float]

    @classmethod
    def now(cls, rush: Rush, relayer: subprocess.Popen[bytes]) -> "Mark":
        # Threads by their age: the one that sends is started before any that verifies.
        tasks = sorted(int(task.name) for task in Path(f"/proc/{relayer.pid}/task").iterdir())
        main, sending = (cpu_seconds(relayer.pid, task) for task in tasks[:2])
        whole = cpu_seconds(relayer.pid)
        spent = {
            "relayer": whole,
            "- HTTP": main,
            "- sending and settling": sending,
            "- verifying and queueing": whole - main - sending,
            "node": cpu_seconds(rush.node.process.pid),
            "clients": time.process_time(),
        }
        return cls(time.monotonic(), spent)

    def since(self, before: "Mark") -> dict[str, float]:
        return {who: seconds - before.spent[who] for who, seconds in self.spent.items()}


async def ask_all(port: int, requests: Sequence[bytes]) -> list[dict[str, Any]]:
    """Ask from many connections at once, of which each waits for its answers.

    By hand, since an HTTP client takes as long for a request as the relayer that is measured.
    """
    answers: list[dict[str, Any]] = [{} for _ in requests]
    left = deque(enumerate(requests))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while left:
            number, request = left.popleft()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].partition("\r\n")[0])
            answers[number] = json.loads(await reader.readexactly(length))
            if head.split()[1] not in {"200", "202"}:
                raise SystemExit(f"the relayer says {answers[number]}")
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answers


def _request(method: str, path: str, body: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: relayer\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def _follow(port: int, claims: Sequence[str]) -> list[str]:
    """The states of claims; each is asked for once, when all but surely are settled."""
    time.sleep(3)
    asked = [_request("GET", f"/v1/claims/{claim}") for claim in claims]
    return [told["state"] for told in asyncio.run(ask_all(port, asked))]


def _fees_paid(rush: Rush) -> int:
    return claims.balance_of(rush.chain, rush.deployment, RELAYER)


def _sent(rush: Rush, home: Path) -> list[Sent]:
    settings = Settings(home=home, relayer_database_url=None)
    engine = engine_of_relayer(settings)
    journal = Journal(Database(engine), rush.deployment.fingerprint, RELAYER)
    sent = journal.transactions(list(SentState))
    engine.dispose()
    return sent


def _straight(rush: Rush, sent: Sequence[Sent]) -> float:
    """Seconds that the node takes for the same calls, from an account that it signs for itself."""
    started = time.monotonic()
    for one in sent:
        transaction = {
            "from": rush.chain.sender,
            "to": one.call.to,
            "data": "0x" + one.call.data.hex(),
            "gas": hex(one.gas),
        }
        _ask(rush, "eth_sendTransaction", transaction)
    # A batch names its relayer, so that anybody may send it.
    while _fees_paid(rush) < len(rush.bodies) * FEE:
        if time.monotonic() - started > 120:
            raise SystemExit("not all were paid")
        time.sleep(0.01)
    return time.monotonic() - started


def _ask(rush: Rush, method: str, *parameters: Any) -> Any:
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relayer")
    parser.add_argument("--claims", type=int, default=MEMBERS)
    parser.add_argument("--proofs", type=Path, help="where proofs are kept", required=True)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rush = open_rush(asked.claims, asked.proofs)
    try:
        with tempfile.TemporaryDirectory(prefix="personhood-relayer-") as home:
            figures = measure(rush, Path(home))
    finally:
        rush.node.close()
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:<44}{value:>12,.1f}")


if __name__ == "__main__":
    main()
