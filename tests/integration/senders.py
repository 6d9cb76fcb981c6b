"""What the tests of sender, publisher and relayer share: a chain that misbehaves when told."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import create_engine

from distribution.attestation import address_of
from distribution.chain import Chain
from distribution.database import Database
from distribution.deployment import Deployment, Terms, deploy
from distribution.local_node import AnvilNode, find_anvil, start_local_node
from distribution.publisher import BatchPolicy, Change, Publisher
from distribution.registry import local_attesters
from distribution.sender import Sender, SendingPolicy, ensure_funded
from uniqueness.database import prepare

KEY = "0x" + "5e" * 32
ATTESTERS = ["0x" + f"{i:02x}" * 32 for i in (1, 2, 3)]
TERMS = Terms(attesters=tuple(address_of(key) for key in ATTESTERS), quorum=2, amount=5, pool=1000)
POLICY = SendingPolicy(confirmations=3, bump_after=3600, patience=0)


class Anvil:
    """A real node, and what can happen to one."""

    def __init__(self, state: Path | None = None) -> None:
        node = start_local_node(state=state)
        assert isinstance(node, AnvilNode)
        self.node, self.url, self._state = node, node.url, state
        self.chain = Chain.connect(node.url)
        self.deployment = deploy(self.chain, TERMS)
        ensure_funded(self.chain, KEY)

    def ask(self, method: str, *params: Any) -> Any:
        answer = self.chain._web3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        self.ask("anvil_mine", hex(blocks))

    def mine_on_demand(self) -> None:
        """From now on a transaction waits until `mine`."""
        self.ask("evm_setAutomine", False)

    def reorganise(self, depth: int) -> None:
        """Other blocks, without our transactions, in the place of the newest `depth`."""
        self.ask("anvil_reorg", depth, [])

    def forget_mempool(self) -> None:
        self.ask("anvil_dropAllTransactions")

    def end(self, how: signal.Signals) -> None:
        """End the node by a signal; by SIGTERM it writes its state, by SIGKILL it does not."""
        self.node.process.send_signal(how)
        self.node.process.wait()

    def start_again(self) -> None:
        """A new process on the same port, with the state that was written."""
        port = urlsplit(self.url).port
        binary = find_anvil()
        assert port is not None
        assert binary is not None
        self.node = AnvilNode.start(binary, port, self._state)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and answers nothing."""
        os.kill(self.node.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.node.process.pid, signal.SIGCONT)


class Members:
    """A source as a list."""

    def __init__(self, commitments: Sequence[int], *, at: int = 0) -> None:
        self.changes = [Change(commitment, at) for commitment in commitments]
        self.gone: list[Change] = []

    def accepted(self, after: int) -> Sequence[Change]:
        return self.changes[after:]

    def removals(self) -> Sequence[Change]:
        return self.gone


def killed(main: Callable[..., None], *arguments: str) -> bool:
    """Whether a process that runs `main` ends itself by SIGKILL."""
    processes = get_context("forkserver")  # which imports but once
    processes.set_forkserver_preload([main.__module__])
    process = processes.Process(target=main, args=arguments)
    process.start()
    process.join(timeout=120)
    return process.exitcode == -signal.SIGKILL


def open_database(folder: Path) -> Database:
    return Database(prepare(create_engine(f"sqlite:///{folder / 'journal.db'}")))


@contextmanager
def open_sender(
    chain: Chain, deployment: Deployment, folder: Path, policy: SendingPolicy = POLICY
) -> Iterator[Sender]:
    database = open_database(folder)
    with Sender.open(chain, KEY, database, deployment, policy) as sender:
        yield sender
    database.engine.dispose()


def make_publisher(
    chain: Chain,
    deployment: Deployment,
    sender: Sender,
    source: Members,
    batches: BatchPolicy | None = None,
) -> Publisher:
    attesters = local_attesters(chain, deployment, ATTESTERS)
    return Publisher(chain, deployment, sender, source, attesters, batches or BatchPolicy(4, 0))
