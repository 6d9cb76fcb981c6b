"""Attesters as services of their own: one lies, one is down, and a quorum is a quorum."""

import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from distribution import registry
from distribution.attestation import RootUpdate, Signature
from distribution.attester import IndependentAttester
from distribution.attester_api import create_attester_app
from distribution.attesters import RemoteAttester, open_attesters
from distribution.chain import Chain
from distribution.deployment import REGISTRY, Deployment, Terms, deploy
from distribution.errors import AlreadySigned, AttestationRefused, QuorumMissing
from distribution.local_node import LocalNode
from distribution.publisher import BatchPolicy, Publisher
from distribution.registry import read_group
from distribution.sender import ensure_funded
from identity_proofs.group import Group
from personhood.attesting import have_log_cosigned
from personhood.cli import app
from personhood.settings import Settings
from tests.decision_logs import Log
from tests.integration.senders import ATTESTERS, KEY, TERMS, Members, open_sender
from tests.service import served
from transparency.api import create_log_router
from transparency.checkpoint import Checkpoint
from transparency.client import LogClient
from transparency.errors import WitnessRefused
from transparency.journal import log_signer
from transparency.note import COSIGNATURE, NoteSigner, split_note
from transparency.witness import Witness

pytestmark = pytest.mark.slow

SIGNER = log_signer(b"l" * 32, "log.example/people")


@pytest.fixture
def log() -> Log:
    log = Log()
    log.accept(11, 12, 13)
    return log


@dataclass
class Liar:
    """Signs another root than the one it is asked for."""

    honest: IndependentAttester

    @property
    def address(self) -> str:
        return self.honest.address

    @property
    def log_key(self):
        return self.honest.log_key

    @property
    def log_size(self) -> int:
        return 0

    def attest(self, update: RootUpdate, chain_id: int, registry: str) -> Signature:
        lie = RootUpdate(1, update.previous_root, 5, 0, (5,))
        return lie.message(chain_id, registry).sign(self.honest._account)


@dataclass
class Attesters:
    """Three services with keys, homes and logs of their own."""

    honest: list[str]
    lying: list[str]
    down: str

    def asked(self, *urls: str) -> list[RemoteAttester]:
        return open_attesters(urls, SIGNER)


@pytest.fixture
def attesters(log: Log, node: LocalNode, deployment: Deployment, tmp_path: Path):
    service = FastAPI()
    service.include_router(create_log_router(log.journal))
    with ExitStack() as stack:
        log_url = stack.enter_context(served(service))
        honest, lying = [], []
        for number, key in enumerate(ATTESTERS):
            source = stack.enter_context(LogClient(log_url))
            attester = IndependentAttester(
                key,
                Chain.connect(node.url),
                deployment,
                source.key(),
                source,
                tmp_path / str(number),
            )
            signer = NoteSigner(f"attester.example/{number}", bytes([number]) * 32, COSIGNATURE)
            witness = Witness(attester.log_key, signer, tmp_path / f"witnessed-{number}")
            honest.append(stack.enter_context(served(create_attester_app(attester, witness))))
            liar = create_attester_app(Liar(attester), witness)  # type: ignore[arg-type]
            lying.append(stack.enter_context(served(liar)))
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            down = "http://{}:{}".format(*nobody.getsockname())
        yield Attesters(honest, lying, f"{TERMS.attesters[2]}@{down}")


def publish(
    chain: Chain, deployment: Deployment, log: Log, asked: list[RemoteAttester], *accepted: int
) -> int:
    done = registry.publish(chain, deployment, accepted, asked, checkpoint=log.digest)
    return done.members


def test_a_lying_attester_does_not_matter(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters
) -> None:
    asked = attesters.asked(attesters.lying[0], *attesters.honest[1:])
    assert publish(chain, deployment, log, asked, 11, 12) == 2
    update = RootUpdate(1, 0, 5, 0, (5,))
    with pytest.raises(AttestationRefused) as refused:
        asked[0].attest(RootUpdate(1, 0, 6, 0, (6,)), deployment.chain_id, deployment.registry)
    assert refused.value.reason == "signature_wrong"
    assert asked[0].attest(update, deployment.chain_id, deployment.registry)


def test_an_attester_that_is_down_does_not_matter(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters
) -> None:
    nameless = attesters.down.partition("@")[2]
    asked = attesters.asked(attesters.down, nameless, *attesters.honest[:2])
    assert publish(chain, deployment, log, asked, 11, 12) == 2


def test_one_liar_and_one_down_are_too_many_until_one_is_back(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters
) -> None:
    asked = attesters.asked(attesters.honest[0], attesters.lying[1], attesters.down)
    with pytest.raises(QuorumMissing, match="1 of the 2") as missing:
        publish(chain, deployment, log, asked, 11, 12)
    assert "signed something else" in str(missing.value)
    assert "no attester answers" in str(missing.value)
    assert read_group(chain, deployment).size == 0
    back = attesters.asked(attesters.honest[0], attesters.lying[1], attesters.honest[2])
    assert publish(chain, deployment, log, back, 11, 12) == 2


def test_a_lying_publisher_gets_no_signature(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters
) -> None:
    asked = attesters.asked(*attesters.honest)
    with pytest.raises(QuorumMissing, match="member_without_decision"):
        publish(chain, deployment, log, asked, 11, 66)
    stranger = open_attesters(attesters.honest, log_signer(b"s" * 32, "log.example/people"))
    with pytest.raises(QuorumMissing, match="proposal_invalid"):
        publish(chain, deployment, log, stranger, 11, 12)
    assert publish(chain, deployment, log, asked, 11, 12, 13) == 3


def test_a_second_root_in_one_place_is_refused_and_the_first_told(
    deployment: Deployment, log: Log, attesters: Attesters
) -> None:
    where = deployment.chain_id, deployment.registry
    first = RootUpdate(1, 0, Group([11]).root, 0, (11,), checkpoint=log.digest)
    second = RootUpdate(1, 0, Group([11, 12]).root, 0, (11, 12), checkpoint=log.digest)
    (remote,) = attesters.asked(attesters.honest[0])
    remote.attest(first, *where)
    with pytest.raises(AlreadySigned) as refused:
        remote.attest(second, *where)
    assert refused.value.update == first


def test_a_publisher_takes_up_what_was_signed_for_the_one_before_it(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters, tmp_path: Path
) -> None:
    """It died between the signatures and its own notes, and others were accepted since."""
    where = deployment.chain_id, deployment.registry
    asked = attesters.asked(*attesters.honest[:2])
    lost = RootUpdate(1, 0, Group([11]).root, 0, (11,), checkpoint=log.digest)
    for remote in asked:
        remote.attest(lost, *where)
    ensure_funded(chain, KEY)
    source, policy = Members([11, 12, 13]), BatchPolicy(size=4, age=0)
    with open_sender(chain, deployment, tmp_path) as sender:
        publisher = Publisher(
            chain, deployment, sender, source, asked, policy, checkpoint=lambda: log.digest
        )
        while read_group(chain, deployment).size < 3:
            publisher.step(flush=True)
        assert publisher.step(flush=True) is None
    updates = chain.events(REGISTRY, deployment.registry, "RootUpdated", deployment.block)
    assert [update["commitments"] for update in updates] == [(11,), (12, 13)]


def test_what_is_not_its_own_a_publisher_does_not_take_up(
    chain: Chain, deployment: Deployment, log: Log, attesters: Attesters, tmp_path: Path
) -> None:
    where = deployment.chain_id, deployment.registry
    asked = attesters.asked(*attesters.honest[:2])
    other = RootUpdate(1, 0, Group([12]).root, 0, (12,), checkpoint=log.digest)
    for remote in asked:
        remote.attest(other, *where)
    ensure_funded(chain, KEY)
    source, policy = Members([11, 12]), BatchPolicy(size=4, age=0)
    with open_sender(chain, deployment, tmp_path) as sender:
        publisher = Publisher(
            chain, deployment, sender, source, asked, policy, checkpoint=lambda: log.digest
        )
        with pytest.raises(QuorumMissing, match="signed before"):
            publisher.step(flush=True)
    assert read_group(chain, deployment).size == 0


def test_what_an_attester_says_over_http(attesters: Attesters) -> None:
    about = httpx.get(f"{attesters.honest[0]}/v1/attester").json()
    assert about["address"] == TERMS.attesters[0]
    refused = httpx.post(f"{attesters.honest[0]}/v1/attest", content=b"\xff")
    assert (refused.status_code, refused.json()["code"]) == (409, "proposal_invalid")
    assert refused.headers["content-type"] == "application/problem+json"
    large = httpx.post(f"{attesters.honest[0]}/v1/attest", content=b"x" * (1 << 18))
    assert (large.status_code, large.json()["code"]) == (413, "proposal_too_large")


def test_attesters_are_witnesses_of_the_log(
    log: Log,
    attesters: Attesters,
    node: LocalNode,
    deployment: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def set_witnesses(*urls: str) -> Settings:
        keys = [httpx.get(f"{url}/v1/attester").json()["witness"] for url in attesters.honest]
        places = ",".join(f"{key}@{url}" for key, url in zip(keys, urls, strict=False))
        monkeypatch.setenv("PERSONHOOD_HOME", str(tmp_path))
        monkeypatch.setenv("PERSONHOOD_LOG_WITNESSES", places)
        return Settings()

    down = attesters.down.partition("@")[2]
    for size in (3, 4):
        settings = set_witnesses(*attesters.honest[:2], down)
        note, missing = have_log_cosigned(settings, log.journal)
        names = set(split_note(note)[1])
        assert (Checkpoint.of_note(note).size, len(names), len(missing)) == (size, 3, 1)
        log.accept(100 + size)
    service = FastAPI()
    service.include_router(create_log_router(log.journal, settings.witnessed_file()))
    with served(service) as url, LogClient(url) as client:
        assert client.witnessed() == note
        deployment.write(tmp_path / "deployment.json")
        monkeypatch.setenv("PERSONHOOD_RPC_URL", node.url)
        verify = ["audit", "verify", "--log", url, "--grace", "1000000"]
        for honest in attesters.honest:
            verify += ["--witness", httpx.get(f"{honest}/v1/attester").json()["witness"]]
        for quorum, code in (("2", 0), ("3", 1)):
            told = CliRunner().invoke(app, [*verify, "--quorum", quorum])
            assert told.exit_code == code, told.stdout
    with pytest.raises(WitnessRefused):
        have_log_cosigned(set_witnesses(down), log.journal)


def test_an_attester_is_a_process_of_its_own(
    chain: Chain, node: LocalNode, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = FastAPI()
    service.include_router(create_log_router(log.journal))
    with served(service) as url, socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
        free.close()
        for name, value in (("HOME", tmp_path), ("RPC_URL", node.url), ("SERVICE_URL", url)):
            monkeypatch.setenv(f"PERSONHOOD_{name}", str(value))
        command = [sys.executable, "-m", "personhood", "attester"]
        address = subprocess.run(
            [*command, "address"], check=True, capture_output=True, text=True
        ).stdout.strip()
        terms = Terms(attesters=(address,), quorum=1, amount=5, pool=80)
        deployment = deploy(chain, terms)
        deployment.write(tmp_path / "deployment.json")
        process = subprocess.Popen([*command, "run", "--port", port], stderr=subprocess.DEVNULL)
        try:
            (remote,) = open_attesters([f"http://127.0.0.1:{port}"], SIGNER)
            wait_for(f"http://127.0.0.1:{port}/v1/attester", process)
            assert publish(chain, deployment, log, [remote], 11, 12) == 2
        finally:
            process.terminate()
            process.wait(timeout=30)
    assert re.fullmatch(r"0x[0-9a-fA-F]{40}", address)
    kept = (tmp_path / "attester" / "log.pub").read_text()
    assert kept == SIGNER.verifier.text + "\n"


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            httpx.get(url, timeout=1)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        return
    raise AssertionError("the attester ended")
