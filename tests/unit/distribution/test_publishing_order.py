"""Whatever the batches: no update leaves two wallets of one person in the group."""

import random

import pytest

from distribution.publisher import Change, _joining

GROUP_SIZE = 40


def a_history(seed: int) -> list[tuple[str, int]]:
    """Additions and removals as enrolment numbers them; a wallet n00 is of person n."""
    rng = random.Random(seed)
    holders: dict[int, int] = {}
    history: list[tuple[str, int]] = []
    for _ in range(GROUP_SIZE):
        person = rng.randrange(1, 12)
        wallet = holders.get(person)
        if wallet is None:
            holders[person] = person * 100 + rng.randrange(99)
            history.append(("added", holders[person]))
        elif rng.random() < 0.7:  # recovery
            holders[person] = next(
                new
                for new in range(person * 100, person * 100 + 99)
                if ("added", new) not in history
            )
            history += [("removed", wallet), ("added", holders[person])]
        else:
            history.append(("removed", wallet))
            holders[person] = -1
            del holders[person]
    return _without_repeats(history)


def _without_repeats(history: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """A commitment that was a member once never is again."""
    return list(dict.fromkeys(history))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("size", [1, 2, 5, 512])
def test_no_root_holds_two_wallets_of_one_person(seed: int, size: int) -> None:
    history = a_history(seed)
    rng = random.Random(seed)
    leaves: list[int] = []
    known = 0
    while True:
        known = min(len(history), known + rng.randrange(0, 6))
        added = [Change(c, 0) for what, c in history[:known] if what == "added"]
        removals = [Change(c, 0) for what, c in history[:known] if what == "removed"]
        accepted = added[len(leaves) :]
        leaving = [change.commitment for change in removals if change.commitment in leaves]
        joining = _joining(accepted, removals, size) if len(leaving) <= size else []
        if not joining and not leaving:
            if known == len(history):
                break
            continue
        gone = set(leaving[:size])
        leaves = [0 if leaf in gone else leaf for leaf in leaves]
        leaves += [change.commitment for change in joining]
        persons = [leaf // 100 for leaf in leaves if leaf]
        assert len(persons) == len(set(persons))
    members = {c for what, c in history if what == "added"}
    members -= {c for what, c in history if what == "removed"}
    assert {leaf for leaf in leaves if leaf} == members
