"""A relayer and 2,000 claims: `python -m benchmarks.relayer --proofs FOLDER [--json]`.

1. An opening rush: everybody claims at once at a relayer, the real command, which pays all of them
   on anvil. Its time is told by thread: the main one speaks HTTP, one sends, follows and settles,
   and those left verify claims and queue them.
2. A backlog: as many claims wait in the database of a relayer that starts, so that it does nothing
   but pay. Its pace is taken from the first block with payments to the last one.
3. The same transactions, signed already, straight to the node: what paying takes at least. Its pace
   is taken in the same way.

Proofs are made beforehand (half a second of CPU time each) and kept in the folder for the next run.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from benchmarks.rush import (
    FEE,
    MEMBERS,
    RELAYER,
    Mark,
    Rush,
    ask,
    fees_paid,
    open_rush,
    running_relayer,
    started_relayer,
)
from distribution.batch import ProvenClaim
from distribution.database import Database
from distribution.deployment import DISTRIBUTOR
from distribution.journal import Journal
from distribution.relay_store import RelayStore
from distribution.sent import Sent, SentState
from identity_proofs.proof import SemaphoreProof
from personhood.relayer_app import engine_of_relayer
from personhood.settings import Settings

CLIENTS = 256  # connections
LOOK = 0.02  # seconds between looks at the node's newest block
QUIET = 1.5  # seconds without a block, after which all may be paid
PATIENCE = 120.0  # seconds


def measure_rush(rush: Rush, home: Path) -> dict[str, float]:
    """Seconds and CPU seconds, from the first request to the last payment."""
    snapshot = ask(rush, "evm_snapshot")
    count = len(rush.bodies)
    with running_relayer(rush, home) as (process, port):
        marks = [Mark.now(rush, process)]
        posts = [_request("POST", "/v1/claims", body) for body in rush.bodies]
        answers = asyncio.run(ask_all(port, posts))
        marks.append(Mark.now(rush, process))
        while fees_paid(rush) < count * FEE:
            time.sleep(0.2)
        marks.append(Mark.now(rush, process))
        states = _follow(port, [told["id"] for told in answers])
        marks.append(Mark.now(rush, process))
    if set(states) != {"finalised"}:
        raise SystemExit(f"not all are settled: {set(states)}")
    sent = _sent(rush, home)
    ask(rush, "evm_revert", snapshot)
    began, queued, paid, told = marks
    spent = paid.since(began)
    return {
        "claims": count,
        "transactions": len(sent),
        "seconds until the last is queued": queued.at - began.at,
        "seconds until the last is paid": paid.at - began.at,
        "claims queued a second": count / (queued.at - began.at),
        "claims queued and paid a second": count / (paid.at - began.at),
        "share of a core that the node was busy, %": 100 * spent["node"] / (paid.at - began.at),
        **{f"{who}, CPU ms a claim": 1000 * seconds / count for who, seconds in spent.items()},
        "relayer, CPU ms a look at a claim": 1000 * told.since(paid)["relayer"] / count,
        "gas a claim": sum(one.gas_used or 0 for one in sent) / count,
    }


@dataclass(frozen=True)
class Paying:
    """What was seen between the first block with payments and the last.

    Attributes:
        claims: paid after the first of these blocks.
        spent: CPU seconds, by who spent them.
    """

    claims: int
    seconds: float
    spent: dict[str, float]

    @property
    def pace(self) -> float:
        return self.claims / self.seconds


def watch(rush: Rush, look: Callable[[], Mark]) -> Paying:
    """Watch the node until it has paid everybody."""
    address = urlsplit(rush.node.url)
    node = HTTPConnection(address.hostname or "", address.port)
    question = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
    before = newest = rush.chain.block_number()
    began = looked = time.monotonic()
    seen: dict[int, Mark] = {}
    while looked - began < PATIENCE:
        node.request("POST", "/", question, {"Content-Type": "application/json"})
        number = int(json.loads(node.getresponse().read())["result"], 16)
        looked = time.monotonic()
        if number > newest:
            mark = look()
            seen |= dict.fromkeys(range(newest + 1, number + 1), mark)
            newest = number
        elif seen and looked - seen[newest].at > QUIET and _all_are_paid(rush):
            break
        time.sleep(LOOK)
    else:
        raise SystemExit("not all were paid")
    paid = Counter(
        log.block
        for log in rush.chain.logs(DISTRIBUTOR, rush.deployment.distributor, "Claimed", before + 1)
    )
    first, last = seen[min(paid)], seen[max(paid)]
    return Paying(paid.total() - paid[min(paid)], last.at - first.at, last.since(first))


def _all_are_paid(rush: Rush) -> bool:
    """Asked seldom: while a node answers this, some make no block."""
    return fees_paid(rush) == len(rush.bodies) * FEE


def measure_backlog(rush: Rush, home: Path) -> dict[str, float]:
    """The pace of a relayer that only pays, beside the node's own."""
    snapshot = ask(rush, "evm_snapshot")
    _fill(rush, home)
    with started_relayer(rush, home) as (process, _):
        relayed = watch(rush, lambda: Mark.now(rush, process))
    sent = _sent(rush, home)
    ask(rush, "evm_revert", snapshot)
    straight = _straight(rush, sent)
    busy = {who: seconds / relayed.seconds for who, seconds in relayed.spent.items()}
    return {
        "claims paid a second": relayed.pace,
        "claims a second, straight to the node": straight.pace,
        "share of that, %": 100 * relayed.pace / straight.pace,
        "node, share of a core, %": 100 * busy["node"],
        "node, share of a core when asked straight, %": 100
        * straight.spent["node"]
        / straight.seconds,
        "relayer, share of a core, %": 100 * busy["relayer"],
        "node, CPU ms a claim": 1000 * relayed.spent["node"] / relayed.claims,
        "relayer, CPU ms a claim": 1000 * relayed.spent["relayer"] / relayed.claims,
    }


def _fill(rush: Rush, home: Path) -> None:
    """Queue all claims as the relayer's intake does once it has verified them."""
    engine = engine_of_relayer(Settings(home=home, relayer_database_url=None))
    store = RelayStore(Database(engine), rush.deployment.fingerprint)
    claims = map(json.loads, rush.bodies)
    block = rush.chain.block_number()
    store.add_all([(claim["epoch"], _proven(claim), block) for claim in claims])
    engine.dispose()


def _proven(claim: dict[str, Any]) -> ProvenClaim:
    proof = SemaphoreProof.from_dict(claim["proof"])
    return ProvenClaim(claim["recipient"], int(claim["fee"]), proof.nullifier, proof.points)


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


def _sent(rush: Rush, home: Path) -> list[Sent]:
    settings = Settings(home=home, relayer_database_url=None)
    engine = engine_of_relayer(settings)
    journal = Journal(Database(engine), rush.deployment.fingerprint, RELAYER)
    sent = journal.transactions(list(SentState))
    engine.dispose()
    return sent


def _straight(rush: Rush, sent: Sequence[Sent]) -> Paying:
    """How the node takes the same transactions, from a thread that does nothing but give them."""
    ask(rush, "anvil_setBalance", RELAYER, hex(10**21))

    def give() -> None:
        for one in sent:
            rush.chain.send_raw(one.versions[-1].signed)

    giving = Thread(target=give)
    giving.start()
    paying = watch(rush, lambda: Mark.now(rush))
    giving.join()
    return paying


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relayer")
    parser.add_argument("--claims", type=int, default=MEMBERS)
    parser.add_argument("--proofs", type=Path, help="where proofs are kept", required=True)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rush = open_rush(asked.claims, asked.proofs)
    figures = {}
    try:
        for name, measure in (("opening rush", measure_rush), ("backlog", measure_backlog)):
            with tempfile.TemporaryDirectory(prefix="personhood-relayer-") as home:
                figures[name] = measure(rush, Path(home))
    finally:
        rush.node.close()
    if asked.json:
        print(json.dumps(figures, indent=2))
        return
    for title, found in figures.items():
        print(title)
        for name, value in found.items():
            print(f"  {name:<48}{value:>12,.1f}")


if __name__ == "__main__":
    main()
