import pytest
from eth_account import Account

from distribution.attestation import RootUpdate, Signature, attester_change, sign_sorted
from tests.contracts.chain import CHAIN_ID, Chain, Contract, Event, RevertedError, refused
from tests.contracts.world import (
    ATTESTERS,
    FIELD_ORDER,
    QUORUM,
    STRANGER,
    deploy,
    deploy_registry,
    post_update,
    send_update,
)

ROOT, NEXT_ROOT = 101, 102
COMMITMENTS = [11, 12, 13]
CHECKPOINT = b"\x07" * 32
ADDRESSES = [attester.address.lower() for attester in ATTESTERS]
UNKNOWN = Account.from_key(b"\x09" * 32)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PARITY = 1 << 255

Update = tuple[int, int, int, list[int], list[int]]

NEXT = RootUpdate(1, ROOT, NEXT_ROOT, 3, (14,), (), CHECKPOINT)


@pytest.fixture
def registry() -> Contract:
    return deploy_registry(Chain())


@pytest.fixture
def peopled(registry: Contract) -> Contract:
    post_update(registry, 0, ROOT, 0, COMMITMENTS, [])
    return registry


def signed(update: RootUpdate, registry: Contract, chain_id: int = CHAIN_ID) -> list[Signature]:
    return sign_sorted(update.message(chain_id, registry.address), ATTESTERS[:QUORUM])


def change(
    registry: Contract, attesters: list[str], quorum: int, *, attester_set: int = 1
) -> list[Signature]:
    message = attester_change(CHAIN_ID, registry.address, attester_set, attesters, quorum)
    return sign_sorted(message, ATTESTERS[:QUORUM])


def test_starts_empty(registry: Contract) -> None:
    assert (registry.call("root"), registry.call("size")) == (0, 0)
    assert registry.call("attesters") == tuple(ADDRESSES)
    assert (registry.call("attesterSet"), registry.call("quorum")) == (1, QUORUM)


def test_update_moves_root_and_size(peopled: Contract) -> None:
    assert (peopled.call("root"), peopled.call("size")) == (ROOT, 3)

    post_update(peopled, ROOT, NEXT_ROOT, 3, [14], [0, 2], checkpoint=CHECKPOINT)

    assert (peopled.call("root"), peopled.call("size")) == (NEXT_ROOT, 4)
    assert peopled.call("checkpoint") == CHECKPOINT


def test_removal_alone_keeps_size(peopled: Contract) -> None:
    post_update(peopled, ROOT, NEXT_ROOT, 3, [], [1])
    assert (peopled.call("root"), peopled.call("size")) == (NEXT_ROOT, 3)


def test_tree_can_be_rebuilt_from_events_alone(registry: Contract) -> None:
    updates: list[Update] = [
        (0, ROOT, 0, COMMITMENTS, []),
        (ROOT, NEXT_ROOT, 3, [14], [0, 2]),
        (NEXT_ROOT, ROOT, 4, [], [3]),
    ]
    leaves: list[int] = []
    for update in updates:
        (event,) = post_update(registry, *update, checkpoint=CHECKPOINT).events
        names = ("prevRoot", "newRoot", "firstIndex", "commitments", "removals", "checkpoint")
        values = (*update[:3], tuple(update[3]), tuple(update[4]), CHECKPOINT)
        assert event == Event("RootUpdated", dict(zip(names, values, strict=True)))
        assert event.args["firstIndex"] == len(leaves)
        leaves.extend(event.args["commitments"])
        for index in event.args["removals"]:
            leaves[index] = 0
    assert leaves == [0, 12, 0, 0]
    assert registry.call("size") == len(leaves)


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ((0, NEXT_ROOT, 3, [14], []), "registry: wrong previous root"),
        ((NEXT_ROOT, NEXT_ROOT, 3, [14], []), "registry: wrong previous root"),
        ((ROOT, 0, 3, [14], []), "registry: zero root"),
        ((ROOT, ROOT, 3, [14], []), "registry: unchanged root"),
        ((ROOT, FIELD_ORDER, 3, [14], []), "registry: root out of field"),
        ((ROOT, ROOT + FIELD_ORDER, 3, [14], []), "registry: root out of field"),
        ((ROOT, NEXT_ROOT, 3, [], []), "registry: empty update"),
        ((ROOT, NEXT_ROOT, 4, [14], []), "registry: wrong first index"),
        ((ROOT, NEXT_ROOT, 2, [14], []), "registry: wrong first index"),
        ((ROOT, NEXT_ROOT, 0, [], [1]), "registry: wrong first index"),
        ((ROOT, NEXT_ROOT, 3, [14, 0], []), "registry: zero commitment"),
        ((ROOT, NEXT_ROOT, 3, [FIELD_ORDER], []), "registry: commitment out of field"),
        ((ROOT, NEXT_ROOT, 3, [2**256 - 1], []), "registry: commitment out of field"),
        ((ROOT, NEXT_ROOT, 3, [], [3]), "registry: removal out of range"),
        ((ROOT, NEXT_ROOT, 3, [14], [3]), "registry: removal out of range"),
        ((ROOT, NEXT_ROOT, 3, [], [2**256 - 1]), "registry: removal out of range"),
        ((ROOT, NEXT_ROOT, 3, [], [2, 1]), "registry: removals not ascending"),
        ((ROOT, NEXT_ROOT, 3, [], [1, 1]), "registry: removals not ascending"),
    ],
)
def test_refuses_though_it_is_signed(peopled: Contract, update: Update, reason: str) -> None:
    with refused(reason):
        post_update(peopled, *update)
    assert (peopled.call("root"), peopled.call("size")) == (ROOT, 3)


def test_refuses_more_than_one_batch_holds(registry: Contract) -> None:
    with pytest.raises(RevertedError):
        post_update(registry, 0, ROOT, 0, list(range(1, 514)), [])
    post_update(registry, 0, ROOT, 0, list(range(1, 513)), [])
    assert registry.call("size") == 512


def test_an_update_counts_once(peopled: Contract) -> None:
    with refused("registry: wrong previous root"):
        post_update(peopled, 0, ROOT, 0, COMMITMENTS, [])


@pytest.mark.parametrize("by", [ATTESTERS[:2], ATTESTERS[1:], ATTESTERS[::2], ATTESTERS], ids=len)
def test_any_quorum_will_do(peopled: Contract, by: list) -> None:  # type: ignore[type-arg]
    post_update(peopled, ROOT, NEXT_ROOT, 3, [14], [], by=by)
    assert peopled.call("root") == NEXT_ROOT


@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ([], "registry: too few signatures"),
        (ATTESTERS[:1], "registry: too few signatures"),
        ([ATTESTERS[0], ATTESTERS[0]], "registry: signers not ascending"),
        ([ATTESTERS[1], ATTESTERS[0]], "registry: signers not ascending"),
        ([UNKNOWN, UNKNOWN], "registry: unknown signer"),
    ],
    ids=["nobody", "too few", "one twice", "not in order", "strangers"],
)
def test_refuses_what_is_no_quorum(
    peopled: Contract,
    signers: list,  # type: ignore[type-arg]
    reason: str,
) -> None:
    message = NEXT.message(CHAIN_ID, peopled.address)
    with refused(reason):
        send_update(peopled, NEXT, [message.sign(signer) for signer in signers])


def test_one_stranger_among_attesters_spoils_it(peopled: Contract) -> None:
    signers = sorted([*ATTESTERS[:2], UNKNOWN], key=lambda a: int(a.address, 16))
    message = NEXT.message(CHAIN_ID, peopled.address)
    with refused("registry: unknown signer"):
        send_update(peopled, NEXT, [message.sign(signer) for signer in signers])


def test_refuses_signatures_that_are_none(peopled: Contract) -> None:
    (r, vs), second = signed(NEXT, peopled)
    for nothing in ((0, 0), (r, 0), (CURVE_ORDER, 1), (0, 1)):
        with refused("registry: invalid signature"):
            send_update(peopled, NEXT, [nothing, second])
    for another in ((r, vs ^ PARITY), (r, vs ^ 1), (r ^ 1, vs)):
        with pytest.raises(RevertedError, match=r"unknown signer|not ascending|invalid signature"):
            send_update(peopled, NEXT, [another, second])


def test_a_signature_has_no_twin(peopled: Contract) -> None:
    """Of (r, s) and (r, n - s) the second has no compact form, or its s is refused."""
    (r, vs), second = signed(NEXT, peopled)
    assert CURVE_ORDER - vs % PARITY >= PARITY
    for s in (CURVE_ORDER // 2 + 1, PARITY - 1):
        with refused("registry: malleable signature"):
            send_update(peopled, NEXT, [(r, s), second])


@pytest.mark.parametrize(
    "altered",
    [
        RootUpdate(1, ROOT, 103, 3, (14,), (), CHECKPOINT),
        RootUpdate(1, ROOT, NEXT_ROOT, 3, (15,), (), CHECKPOINT),
        RootUpdate(1, ROOT, NEXT_ROOT, 3, (14, 15), (), CHECKPOINT),
        RootUpdate(1, ROOT, NEXT_ROOT, 3, (14,), (0,), CHECKPOINT),
        RootUpdate(1, ROOT, NEXT_ROOT, 3, (14,), (), b"\x08" * 32),
        RootUpdate(1, ROOT, NEXT_ROOT, 3, (), (2,), CHECKPOINT),
    ],
    ids=str,
)
def test_signatures_bind_every_part(peopled: Contract, altered: RootUpdate) -> None:
    with refused("registry: unknown signer"):
        send_update_of_unknown_order(peopled, altered, signed(NEXT, peopled))


def test_not_on_another_chain_or_contract(peopled: Contract) -> None:
    other = deploy_registry(peopled.chain)
    post_update(other, 0, ROOT, 0, COMMITMENTS, [])
    assert other.address != peopled.address
    with refused("registry: unknown signer"):
        send_update_of_unknown_order(other, NEXT, signed(NEXT, peopled))
    with refused("registry: unknown signer"):
        send_update_of_unknown_order(peopled, NEXT, signed(NEXT, peopled, CHAIN_ID + 1))


def test_an_attester_who_signs_two_roots_moves_one(peopled: Contract) -> None:
    fork = RootUpdate(1, ROOT, 103, 3, (15,), (), CHECKPOINT)
    ours, theirs = signed(NEXT, peopled), signed(fork, peopled)
    send_update(peopled, NEXT, ours)
    with refused("registry: wrong previous root"):
        send_update(peopled, fork, theirs)


def test_attesters_change_by_their_own_quorum(peopled: Contract) -> None:
    successors = sorted([ADDRESSES[0], UNKNOWN.address.lower()], key=lambda a: int(a, 16))
    signatures = change(peopled, successors, 1)

    receipt = peopled.transact("changeAttesters", successors, 1, signatures, sender=STRANGER)

    assert receipt.events == [
        Event(
            "AttestersChanged",
            {"attesterSet": 2, "attesters": tuple(successors), "quorum": 1},
        )
    ]
    assert peopled.call("attesters") == tuple(successors)
    assert (peopled.call("attesterSet"), peopled.call("quorum")) == (2, 1)
    with refused("registry: unknown signer"):
        post_update(peopled, ROOT, NEXT_ROOT, 3, [14], [], by=[ATTESTERS[1]])
    post_update(peopled, ROOT, NEXT_ROOT, 3, [14], [], by=[UNKNOWN])


def test_what_an_older_set_signed_is_void(peopled: Contract) -> None:
    early = signed(NEXT, peopled)
    handover = change(peopled, ADDRESSES, QUORUM)
    peopled.transact("changeAttesters", ADDRESSES, QUORUM, handover)
    with refused("registry: unknown signer"):
        send_update_of_unknown_order(peopled, NEXT, early)
    with pytest.raises(RevertedError, match=r"unknown signer|not ascending"):
        peopled.transact("changeAttesters", ADDRESSES, QUORUM, handover)


@pytest.mark.parametrize(
    ("attesters", "quorum", "reason"),
    [
        (ADDRESSES, 0, "registry: no quorum"),
        (ADDRESSES, 4, "registry: no quorum"),
        ([], 0, "registry: no quorum"),
        ([], 1, "registry: no quorum"),
        (ADDRESSES[::-1], 2, "registry: attesters not ascending"),
        ([ADDRESSES[0], ADDRESSES[0]], 1, "registry: attesters not ascending"),
        (["0x" + "00" * 20], 1, "registry: attesters not ascending"),
    ],
    ids=str,
)
def test_a_set_that_is_none(
    peopled: Contract, attesters: list[str], quorum: int, reason: str
) -> None:
    with refused(reason):
        deploy(Chain(), "PersonhoodRegistry", attesters, quorum)
    with refused(reason):
        signatures = change(peopled, attesters, quorum)
        peopled.transact("changeAttesters", attesters, quorum, signatures)


def test_nobody_changes_the_attesters_alone(peopled: Contract) -> None:
    message = attester_change(CHAIN_ID, peopled.address, 1, [ADDRESSES[0]], 1)
    with refused("registry: too few signatures"):
        peopled.transact("changeAttesters", [ADDRESSES[0]], 1, [message.sign(ATTESTERS[0])])
    owners = {entry.get("name") for entry in peopled.abi}
    assert not {"owner", "transfer_ownership", "accept_ownership"} & owners


def send_update_of_unknown_order(
    registry: Contract, update: RootUpdate, signatures: list[Signature]
) -> None:
    """Send signatures of something else: whom they name instead is anybody, in any order."""
    try:
        send_update(registry, update, signatures)
    except RevertedError as error:
        if str(error) != "registry: signers not ascending":
            raise
        send_update(registry, update, signatures[::-1])
