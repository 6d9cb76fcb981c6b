import pytest

from tests.contracts.chain import Chain, Contract, Event, RevertedError, refused
from tests.contracts.world import FIELD_ORDER, REGISTRAR, STRANGER, deploy

ROOT, NEXT_ROOT = 101, 102
COMMITMENTS = [11, 12, 13]

Update = tuple[int, int, int, list[int], list[int]]


@pytest.fixture
def registry() -> Contract:
    return deploy(Chain(), "PersonhoodRegistry", REGISTRAR)


@pytest.fixture
def peopled(registry: Contract) -> Contract:
    registry.transact("update", 0, ROOT, 0, COMMITMENTS, [], sender=REGISTRAR)
    return registry


def test_starts_empty(registry: Contract) -> None:
    assert (registry.call("root"), registry.call("size")) == (0, 0)
    assert registry.call("owner") == REGISTRAR


def test_update_moves_root_and_size(peopled: Contract) -> None:
    assert (peopled.call("root"), peopled.call("size")) == (ROOT, 3)

    peopled.transact("update", ROOT, NEXT_ROOT, 3, [14], [0, 2], sender=REGISTRAR)

    assert (peopled.call("root"), peopled.call("size")) == (NEXT_ROOT, 4)


def test_removal_alone_keeps_size(peopled: Contract) -> None:
    peopled.transact("update", ROOT, NEXT_ROOT, 3, [], [1], sender=REGISTRAR)
    assert (peopled.call("root"), peopled.call("size")) == (NEXT_ROOT, 3)


def test_tree_can_be_rebuilt_from_events_alone(registry: Contract) -> None:
    updates: list[Update] = [
        (0, ROOT, 0, COMMITMENTS, []),
        (ROOT, NEXT_ROOT, 3, [14], [0, 2]),
        (NEXT_ROOT, ROOT, 4, [], [3]),
    ]
    leaves: list[int] = []
    for update in updates:
        (event,) = registry.transact("update", *update, sender=REGISTRAR).events
        names = ("prevRoot", "newRoot", "firstIndex", "commitments", "removals")
        assert event == Event(
            "RootUpdated",
            dict(zip(names, (*update[:3], tuple(update[3]), tuple(update[4])), strict=True)),
        )
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
def test_refuses(peopled: Contract, update: Update, reason: str) -> None:
    with refused(reason):
        peopled.transact("update", *update, sender=REGISTRAR)
    assert (peopled.call("root"), peopled.call("size")) == (ROOT, 3)


def test_refuses_more_than_one_batch_holds(registry: Contract) -> None:
    with pytest.raises(RevertedError):
        registry.transact("update", 0, ROOT, 0, list(range(1, 514)), [], sender=REGISTRAR)
    registry.transact("update", 0, ROOT, 0, list(range(1, 513)), [], sender=REGISTRAR)
    assert registry.call("size") == 512


def test_an_update_counts_once(peopled: Contract) -> None:
    with refused("registry: wrong previous root"):
        peopled.transact("update", 0, ROOT, 0, COMMITMENTS, [], sender=REGISTRAR)


def test_only_the_registrar_posts(registry: Contract) -> None:
    with refused("ownable: caller is not the owner"):
        registry.transact("update", 0, ROOT, 0, COMMITMENTS, [], sender=STRANGER)


def test_deployer_is_not_the_registrar(registry: Contract) -> None:
    with refused("ownable: caller is not the owner"):
        registry.transact("update", 0, ROOT, 0, COMMITMENTS, [])


def test_needs_a_registrar() -> None:
    with refused("registry: zero registrar"):
        deploy(Chain(), "PersonhoodRegistry", "0x" + "00" * 20)


def test_handing_over_takes_two_steps(registry: Contract) -> None:
    registry.transact("transfer_ownership", STRANGER, sender=REGISTRAR)
    assert registry.call("owner") == REGISTRAR

    registry.transact("accept_ownership", sender=STRANGER)

    assert registry.call("owner") == STRANGER
    with refused("ownable: caller is not the owner"):
        registry.transact("update", 0, ROOT, 0, COMMITMENTS, [], sender=REGISTRAR)
    registry.transact("update", 0, ROOT, 0, COMMITMENTS, [], sender=STRANGER)


@pytest.mark.parametrize(
    ("step", "arguments"), [("transfer_ownership", [STRANGER]), ("accept_ownership", [])]
)
def test_nobody_else_hands_it_over(registry: Contract, step: str, arguments: list[str]) -> None:
    with pytest.raises(RevertedError, match="ownable"):
        registry.transact(step, *arguments, sender=STRANGER)
