"""An attester signs what it has checked by itself, and one root in each place."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from distribution.attestation import NO_CHECKPOINT, RootUpdate, address_of
from distribution.attester import IndependentAttester
from distribution.deployment import Deployment
from distribution.errors import (
    AlreadySigned,
    AttestationRefused,
    AttesterKeyInvalid,
    ChainUnreachable,
)
from distribution.proposal import read_proposal, write_proposal
from distribution.signed_roots import SignedRoots
from identity_proofs.group import Group
from tests.decision_logs import Log, log_of_key
from transparency.entry import Kind
from transparency.errors import LogUnreachable
from transparency.mirror import LogCopy
from transparency.note import NoteSigner

KEY = "0x" + "01" * 32
REGISTRY, OTHER = "0x" + "00" * 19 + "11", "0x" + "00" * 19 + "12"
CHAIN_ID = 31337
DEPLOYMENT = Deployment(
    chain_id=CHAIN_ID,
    registry=REGISTRY,
    distributor=OTHER,
    token=OTHER,
    block=0,
    genesis=0,
    epoch_length=1,
    amount=1,
    late_epochs=1,
    decimals=18,
    share=0,
    least_claimants=0,
    migration_delay=1,
    attesters=(),
    quorum=1,
    code_hashes={},
)


@dataclass
class Network:
    """The chain's events and the log's service, as the attester's endpoints tell them."""

    log: Log
    posted: list[dict[str, Any]]
    asked: int = 0

    def events(self, *_: Any) -> list[dict[str, Any]]:
        if self.posted and self.posted[-1].get("down"):
            raise ChainUnreachable("gone")
        return self.posted

    def download(self, start: int = 0) -> LogCopy:
        self.asked += 1
        return self.log.copy(start)


class Publisher:
    """What a publisher does: a group of its own, updates, and what becomes of them."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.group = Group()

    def draft(self, *commitments: int, removals: tuple[int, ...] = ()) -> RootUpdate:
        group = Group()
        for update in self.network.posted:
            group.insert_many(update["commitments"])
            for leaf in update["removals"]:
                group.remove(leaf)
        previous, first = group.root, group.size
        group.insert_many(commitments)
        for leaf in removals:
            group.remove(leaf)
        digest = self.network.log.digest
        return RootUpdate(1, previous, group.root, first, commitments, removals, digest)

    def post(self, update: RootUpdate) -> None:
        self.network.posted.append(
            {
                "commitments": list(update.commitments),
                "removals": list(update.removals),
                "newRoot": update.root,
            }
        )


@pytest.fixture
def network() -> Network:
    log = Log()
    log.accept(11, 12, 13)
    return Network(log, [])


@pytest.fixture
def publisher(network: Network) -> Publisher:
    return Publisher(network)


@pytest.fixture
def attester(network: Network, tmp_path: Path) -> IndependentAttester:
    return open_attester(network, tmp_path)


def open_attester(network: Any, home: Path) -> IndependentAttester:
    log_key = Log().key
    return IndependentAttester(KEY, network, DEPLOYMENT, log_key, network, home)


def refusal(attester: IndependentAttester, update: RootUpdate, **where: Any) -> str:
    with pytest.raises(AttestationRefused) as refused:
        sign(attester, update, **where)
    return refused.value.reason


def sign(
    attester: IndependentAttester,
    update: RootUpdate,
    chain_id: int = CHAIN_ID,
    registry: str = REGISTRY,
) -> bool:
    """Whether the signature is this attester's over this update."""
    signature = attester.attest(update, chain_id, registry)
    return update.message(chain_id, registry).signer_of(signature) == address_of(KEY)


def test_what_the_log_accounts_for_is_signed(
    attester: IndependentAttester, publisher: Publisher, network: Network
) -> None:
    for commitments, removals in (((11, 12), ()), ((13,), ()), ((14,), (1,))):
        if removals:
            network.log.remove(12)
            network.log.accept(14, kind=Kind.RECOVERY)
        update = publisher.draft(*commitments, removals=removals)
        assert sign(attester, update)
        publisher.post(update)
    assert (attester.log_size, network.asked) == (5, 2)


def test_an_update_without_decisions_is_refused(
    attester: IndependentAttester, publisher: Publisher, network: Network
) -> None:
    assert refusal(attester, publisher.draft(11, 99)) == "member_without_decision"
    update = publisher.draft(11, 12)
    assert sign(attester, update)
    publisher.post(update)
    assert refusal(attester, publisher.draft(removals=(0,))) == "removal_without_decision"
    assert refusal(attester, publisher.draft(13, removals=(0,))) == "removal_without_decision"
    before = publisher.draft(14)
    network.log.accept(14)
    assert refusal(attester, before) == "member_without_decision"
    assert sign(attester, publisher.draft(14))


def test_the_old_wallet_leaves_no_later_than_the_new_one_comes(
    attester: IndependentAttester, publisher: Publisher, network: Network
) -> None:
    update = publisher.draft(11, 12)
    sign(attester, update)
    publisher.post(update)
    network.log.remove(11)
    network.log.accept(14, kind=Kind.RECOVERY)
    assert refusal(attester, publisher.draft(13, 14)) == "removal_outstanding"
    both = publisher.draft(13, 14, removals=(0,))
    assert sign(attester, both)
    publisher.post(both)
    network.log.accept(15)
    network.log.remove(15)
    network.log.accept(16)
    assert refusal(attester, publisher.draft(15, 16)) == "removal_outstanding"
    assert sign(attester, publisher.draft(15))


def test_whoever_left_does_not_come_back(
    attester: IndependentAttester, publisher: Publisher, network: Network
) -> None:
    network.log.remove(11)
    for commitments, removals in (((11, 12), ()), ((), (0,))):
        update = publisher.draft(*commitments, removals=removals)
        assert sign(attester, update)
        publisher.post(update)
    assert refusal(attester, publisher.draft(11)) == "member_twice"


def test_a_wrong_update_is_refused(attester: IndependentAttester, publisher: Publisher) -> None:
    update = publisher.draft(11, 12)
    for wrong, reason in (
        (replace(update, root=5), "root_wrong"),
        (replace(update, commitments=(12, 11)), "root_wrong"),
        (replace(update, commitments=(11, 11)), "root_wrong"),
        (replace(update, previous_root=5), "wrong_previous_root"),
        (replace(update, first_index=1), "wrong_previous_root"),
        (replace(update, checkpoint=NO_CHECKPOINT), "checkpoint_unknown"),
        (replace(update, removals=(7,)), "removal_without_decision"),
    ):
        assert refusal(attester, wrong) == reason
    assert refusal(attester, update, chain_id=1) == "wrong_registry"
    assert refusal(attester, update, registry=OTHER) == "wrong_registry"
    assert sign(attester, update)


def test_one_root_is_signed_in_each_place_also_after_a_restart(
    attester: IndependentAttester, publisher: Publisher, network: Network, tmp_path: Path
) -> None:
    first, second = publisher.draft(11), publisher.draft(11, 12)
    assert sign(attester, first)
    for again in (attester, open_attester(network, tmp_path)):
        with pytest.raises(AlreadySigned) as refused:
            sign(again, second)
        assert refused.value.update == first
        assert sign(again, first)
        assert sign(again, replace(first, checkpoint=publisher.draft(11).checkpoint))
    publisher.post(first)
    assert sign(attester, publisher.draft(12))


def test_what_was_refused_is_not_remembered(
    attester: IndependentAttester, publisher: Publisher
) -> None:
    assert refusal(attester, replace(publisher.draft(11), root=5)) == "root_wrong"
    assert sign(attester, publisher.draft(11))


def test_a_log_that_contradicts_itself_is_not_followed(
    attester: IndependentAttester, publisher: Publisher, network: Network, tmp_path: Path
) -> None:
    assert sign(attester, publisher.draft(11))
    honest, network.log = network.log, Log()
    network.log.accept(11, 12, 66, 67)
    assert refusal(attester, publisher.draft(66)) == "already_signed"
    publisher.post(publisher.draft(11))
    assert refusal(attester, publisher.draft(66)) == "log_inconsistent"
    (evidence,) = tmp_path.glob("contradiction-*.checkpoint")
    assert evidence.read_text() == network.log.copy().note
    network.log = honest
    honest.accept(14)
    assert sign(attester, publisher.draft(12, 13, 14))


def test_another_logs_word_does_not_count(
    attester: IndependentAttester, publisher: Publisher, network: Network
) -> None:
    network.log = log_of_key(b"s" * 32)
    network.log.accept(11)
    assert refusal(attester, publisher.draft(11)) == "log_unreachable"


def test_a_log_or_chain_that_is_down_is_a_refusal(
    attester: IndependentAttester, publisher: Publisher, network: Network, monkeypatch: Any
) -> None:
    update = publisher.draft(11)
    with monkeypatch.context() as patched:
        patched.setattr(network, "download", lambda _: (_ for _ in ()).throw(LogUnreachable("")))
        assert refusal(attester, update) == "log_unreachable"
    assert sign(attester, update)
    publisher.post(update)
    following = publisher.draft(12)
    network.posted.append({"down": True})
    assert sign(attester, following)  # its own tree is there already
    assert refusal(attester, replace(following, previous_root=5)) == "chain_unreachable"


def test_the_copy_of_the_log_survives_a_restart(
    attester: IndependentAttester, publisher: Publisher, network: Network, tmp_path: Path
) -> None:
    update = publisher.draft(11)
    sign(attester, update)
    again = open_attester(network, tmp_path)
    assert (again.log_size, network.asked) == (3, 1)
    assert sign(again, update)
    assert network.asked == 1


def test_a_damaged_memory_is_not_signed_with(tmp_path: Path) -> None:
    path = tmp_path / "signed"
    update = RootUpdate(1, 0, 5, 0, (5,))
    SignedRoots(path).remember(update)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"half')  # of a crash before the signature
    roots = SignedRoots(path)
    with pytest.raises(AlreadySigned):
        roots.require_free(replace(update, root=6))
    roots.remember(replace(update, previous_root=5, root=6))
    assert len(SignedRoots(path)._signed) == 2
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(AttesterKeyInvalid):
        SignedRoots(path)


def test_a_proposal_is_read_back_and_is_the_logs_alone() -> None:
    signer = NoteSigner("log.example/people", b"l" * 32)
    update = RootUpdate(1, 0, 2**253, 7, (11, 2**253), (3, 4), b"\x07" * 32)
    note = write_proposal(update, CHAIN_ID, REGISTRY, signer)
    assert read_proposal(note, signer.verifier) == (update, CHAIN_ID, REGISTRY)
    stranger = NoteSigner("log.example/people", b"s" * 32)
    for wrong in (
        "",
        write_proposal(update, CHAIN_ID, REGISTRY, stranger),
        note.replace("31337", "31338"),
        Log().copy().note,
        write_proposal(replace(update, root=-1), CHAIN_ID, REGISTRY, signer),
        write_proposal(replace(update, checkpoint=b""), CHAIN_ID, REGISTRY, signer),
        write_proposal(update, CHAIN_ID, "0x11", signer),
    ):
        with pytest.raises(AttestationRefused) as refused:
            read_proposal(wrong, signer.verifier)
        assert refused.value.reason == "proposal_invalid"
