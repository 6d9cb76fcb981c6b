"""One owner of an account's nonces, on a chain that loses, hangs, lies and reorganises."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from distribution.chain import Call, Chain
from distribution.deployment import TOKEN
from distribution.errors import (
    ChainTimeout,
    ChainUnreachable,
    ContractRefused,
    SenderBusy,
    SenderMissing,
    SenderPoor,
)
from distribution.journal import Journal
from distribution.sender import Sender, Untried, ensure_funded
from distribution.sent import SentState
from tests.integration.senders import KEY, POLICY, Anvil, open_database, open_sender

pytestmark = pytest.mark.slow


@pytest.fixture
def call(anvil: Anvil) -> Call:
    """Something harmless whose effect is seen."""
    token = anvil.deployment.token
    return anvil.chain.encode(TOKEN, token, "approve", anvil.chain.sender, 7)


def states(sender: Sender) -> list[SentState]:
    return [sent.state for sent in sender.journal.transactions(list(SentState))]


def test_from_signed_to_final(anvil: Anvil, sender: Sender, call: Call) -> None:
    first, second = (sender.submit("test", call) for _ in range(2))
    assert states(sender) == [SentState.SIGNED] * 2
    changed = sender.advance()
    assert [sent.id for sent in changed] == [first, second]
    assert states(sender) == [SentState.INCLUDED] * 2
    assert sender.advance() == []
    anvil.mine(1)
    sender.advance()
    assert states(sender) == [SentState.FINAL, SentState.INCLUDED]  # a block each
    anvil.mine(1)
    assert [sent.id for sent in sender.advance()] == [second]
    sent = sender.journal.get(second)
    assert (sent.state, sent.nonce, sent.succeeded) == (SentState.FINAL, 1, True)
    assert sent.gas_used is not None
    assert sent.gas_used <= sent.gas


@pytest.mark.parametrize("depth", [2, 10])
def test_a_reorg_is_noticed_and_replayed(
    anvil: Anvil, sender: Sender, call: Call, depth: int
) -> None:
    anvil.mine(10)
    ids = [sender.submit("test", call) for _ in range(2)]
    anvil.mine(depth - 2)  # with ten, both are final: deeper than anybody expects
    sender.advance()
    blocks = [sender.journal.get(i).block_hash for i in ids]
    anvil.reorganise(depth)
    assert [anvil.chain.nonce(sender.address)] == [0]
    assert {sent.id for sent in sender.advance()} == set(ids)
    anvil.mine(4)
    sender.advance()
    assert states(sender) == [SentState.FINAL] * 2
    assert anvil.chain.nonce(sender.address) == 2
    assert [sender.journal.get(i).block_hash for i in ids] != blocks


def test_a_lost_mempool_gets_it_again(anvil: Anvil, sender: Sender, call: Call) -> None:
    anvil.mine_on_demand()
    sent = sender.journal.get(sender.submit("test", call))
    anvil.forget_mempool()
    assert not anvil.chain.knows(sent.hash)
    assert sender.advance() == []
    assert anvil.chain.knows(sent.hash)
    anvil.mine(3)
    sender.advance()
    assert states(sender) == [SentState.FINAL]


def test_what_waits_too_long_pays_more(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    anvil.mine_on_demand()
    eager = replace(POLICY, bump_after=0)
    with open_sender(anvil.chain, anvil.deployment, tmp_path, eager) as sender:
        identifier = sender.submit("test", call)
        sender.advance()
        sender.advance()
        first, second, third = sender.journal.get(identifier).versions
        for cheap, dear in ((first, second), (second, third)):
            assert dear.max_fee >= 1.125 * cheap.max_fee
            assert dear.tip >= 1.125 * cheap.tip
        anvil.mine(3)
        sender.advance()
        sent = sender.journal.get(identifier)
        assert (sent.state, sent.hash) == (SentState.FINAL, third.hash)
        assert anvil.chain.nonce(sender.address) == 1


def test_no_more_is_paid_than_allowed(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    anvil.mine_on_demand()
    base, tip = anvil.chain.fees()
    poor = replace(POLICY, bump_after=0, max_fee=2 * base + tip)
    with open_sender(anvil.chain, anvil.deployment, tmp_path, poor) as sender:
        identifier = sender.submit("test", call)
        sender.advance()
        assert len(sender.journal.get(identifier).versions) == 1


def test_a_nonce_that_somebody_else_used_is_given_up(
    anvil: Anvil, sender: Sender, call: Call
) -> None:
    anvil.mine_on_demand()
    ours = sender.submit("test", call)
    anvil.forget_mempool()
    elsewhere = Chain.connect(anvil.url, KEY)
    anvil.ask("evm_setAutomine", True)
    elsewhere.transact(TOKEN, anvil.deployment.token, "approve", elsewhere.sender, 8)
    sender.advance()
    assert sender.journal.get(ours).state is SentState.SIGNED  # a reorg could bring it back
    anvil.mine(3)
    sender.advance()
    assert sender.journal.get(ours).state is SentState.DISPLACED
    again = sender.submit("test", call)
    sender.advance()
    assert sender.journal.get(again).nonce == 1
    assert sender.journal.get(again).state is SentState.INCLUDED


def test_a_reverted_one_is_told(anvil: Anvil, sender: Sender) -> None:
    token = anvil.deployment.token
    anvil.chain.transact(TOKEN, token, "approve", sender.address, 5)
    take = anvil.chain.encode(TOKEN, token, "transferFrom", anvil.chain.sender, sender.address, 9)
    with pytest.raises(ContractRefused):
        sender.submit("test", take)
    assert states(sender) == []  # nothing was kept that cannot work


def test_a_hanging_node_is_told_in_time(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    impatient = Chain.connect(anvil.url, timeout=0.5)
    with open_sender(impatient, anvil.deployment, tmp_path) as sender:
        sender.submit("test", call)
        with anvil.hanging():
            with pytest.raises(ChainTimeout) as told:
                sender.advance()
            with pytest.raises(ChainTimeout):
                Chain.connect(anvil.url, timeout=0.2)
        assert told.value.code == "chain_timeout"
        anvil.mine(2)
        sender.advance()
        assert states(sender) == [SentState.FINAL]


def test_a_node_that_answers_errors_loses_nothing(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    with failing_proxy(anvil.url) as proxy:
        chain = Chain.connect(proxy.url)
        with open_sender(chain, anvil.deployment, tmp_path) as sender:
            proxy.refuse = "eth_sendRawTransaction"
            identifier = sender.submit("test", call)  # a JSON-RPC error: kept, and tried again
            assert not anvil.chain.knows(sender.journal.get(identifier).hash)
            sender.advance()
            proxy.refuse, proxy.broken = None, True
            with pytest.raises(ChainUnreachable):
                sender.advance()
            proxy.broken = False
            sender.advance()
            anvil.mine(3)
            sender.advance()
            assert states(sender) == [SentState.FINAL]


def test_several_are_kept_and_given_together(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    calls = [Untried(call, 100_000, None) for _ in range(3)]
    with failing_proxy(anvil.url) as proxy:
        chain = Chain.connect(proxy.url)
        with open_sender(chain, anvil.deployment, tmp_path) as sender:
            proxy.refuse = "eth_sendRawTransaction"
            first = sender.submit_untried("test", calls)
            kept = [sender.journal.get(one) for one in first]
            assert [(one.nonce, one.given_at) for one in kept] == [(0, None), (1, None), (2, None)]
            proxy.refuse = None
            anvil.mine_on_demand()
            assert {one.id for one in sender.advance()} == set(first)  # given at last
            second = sender.submit_untried("test", calls)
            assert all(anvil.chain.knows(sender.journal.get(one).hash) for one in first + second)
            anvil.mine(4)
            sender.advance()
            assert states(sender) == [SentState.FINAL] * 6
            assert anvil.chain.nonce(sender.address) == 6


def test_several_from_an_account_that_cannot_pay(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    anvil.ask("anvil_setBalance", Chain.connect(anvil.url, KEY).sender, "0x1")
    with open_sender(anvil.chain, anvil.deployment, tmp_path) as sender:
        with pytest.raises(SenderPoor):
            sender.submit_untried("test", [Untried(call, 100_000, None)] * 2)
        ensure_funded(anvil.chain, KEY)
        sender.advance()
        anvil.mine(3)
        sender.advance()
        assert states(sender) == [SentState.FINAL] * 2


def test_what_was_just_given_is_not_missed_yet(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    anvil.mine_on_demand()
    patient = replace(POLICY, patience=3600)
    with open_sender(anvil.chain, anvil.deployment, tmp_path, patient) as sender:
        sender.advance()  # the first look is one that misses what is lost
        sent = sender.journal.get(sender.submit("test", call))
        anvil.forget_mempool()
        sender.advance()
        assert not anvil.chain.knows(sent.hash)
    with open_sender(anvil.chain, anvil.deployment, tmp_path, patient) as sender:
        sender.advance()
        assert anvil.chain.knows(sent.hash)


def test_one_process_sends_from_an_account(anvil: Anvil, sender: Sender, tmp_path: Path) -> None:
    with (
        pytest.raises(SenderBusy, match=sender.address),
        open_sender(anvil.chain, anvil.deployment, tmp_path),
    ):
        pass


def test_an_account_that_cannot_pay(anvil: Anvil, tmp_path: Path, call: Call) -> None:
    anvil.ask("anvil_setBalance", Chain.connect(anvil.url, KEY).sender, "0x1")
    with open_sender(anvil.chain, anvil.deployment, tmp_path) as sender:
        with pytest.raises(SenderPoor):
            sender.submit("test", call)
        ensure_funded(anvil.chain, KEY)  # a local node gives it coins
        sender.advance()
        sender.advance()
        assert states(sender) == [SentState.INCLUDED]


def test_nobody_to_pay_on_a_chain_that_is_not_local(
    anvil: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Chain.connect(anvil.url)
    monkeypatch.setattr(public, "holds_accounts", False)
    with pytest.raises(SenderMissing, match="0x"):
        ensure_funded(public, "0x" + "77" * 32)


def test_the_journal_of_another_deployment_is_not_mixed_in(
    anvil: Anvil, sender: Sender, tmp_path: Path, call: Call
) -> None:
    sender.submit("test", call)
    moved = replace(anvil.deployment, genesis=anvil.deployment.genesis + 1)
    database = open_database(tmp_path)
    journal = Journal(database, moved.fingerprint, sender.address)
    assert journal.transactions(list(SentState)) == []
    database.engine.dispose()


class Proxy(HTTPServer):
    """Passes requests to a node, until it is told to fail."""

    refuse: str | None = None
    broken = False
    target = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def failing_proxy(target: str) -> Iterator[Proxy]:
    server = Proxy(("127.0.0.1", 0), _Handler)
    server.target = target
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        if self.server.broken:
            self.send_error(503)
            return
        each = asked if isinstance(asked, list) else [asked]
        if self.server.refuse in {one["method"] for one in each}:
            error = {"code": -32000, "message": "txpool is full"}
            told = [{"jsonrpc": "2.0", "id": one["id"], "error": error} for one in each]
            answer = json.dumps(told if isinstance(asked, list) else told[0]).encode()
        else:
            request = Request(self.server.target, body, {"Content-Type": "application/json"})
            with urlopen(request) as reply:
                answer = reply.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass
