"""When a relayer sends a batch that it did not try."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from distribution import relay_trust
from distribution.chain import Call
from distribution.relay_trust import LASTS, QUICK, Trust
from distribution.sent import Sent, SentState

EPOCH, ROOT, GAS = 3, 77, 1_000_000
PAID = Sent(
    id=1,
    purpose="claims",
    nonce=0,
    call=Call("0x", b""),
    gas=GAS,
    state=SentState.INCLUDED,
    signed_at=0,
    succeeded=True,
)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass."""
    clock = [1000.0]
    monkeypatch.setattr(relay_trust, "monotonic", lambda: clock[0])

    def pass_by(seconds: float) -> None:
        clock[0] += seconds

    return pass_by


def trusting(wait: Callable[[float], None]) -> Trust:
    trust = Trust()
    trust.give(1, EPOCH, ROOT, GAS)
    wait(QUICK / 2)
    trust.see([PAID])
    assert trust.holds(EPOCH, ROOT)
    return trust


def test_the_first_batch_is_tried() -> None:
    trust = Trust()
    assert not trust.holds(EPOCH, ROOT)
    trust.give(1, EPOCH, ROOT, GAS)
    assert not trust.holds(EPOCH, ROOT)


def test_of_another_epoch_or_root_too(wait: Callable[[float], None]) -> None:
    trust = trusting(wait)
    assert not trust.holds(EPOCH + 1, ROOT)
    assert not trust.holds(EPOCH, ROOT + 1)


@pytest.mark.parametrize(
    "seen",
    [
        replace(PAID, id=2, succeeded=False),
        replace(PAID, id=2, state=SentState.SIGNED, succeeded=None),
        replace(PAID, id=2, state=SentState.DISPLACED, succeeded=None),
        replace(PAID, id=2, gas=GAS + 1),
    ],
    ids=["reverted", "undone", "displaced", "took more gas"],
)
def test_what_goes_wrong_ends_it(wait: Callable[[float], None], seen: Sent) -> None:
    trust = trusting(wait)
    trust.give(2, EPOCH, ROOT, GAS)
    trust.see([seen])
    assert not trust.holds(EPOCH, ROOT)


def test_a_slow_chain_gives_the_time_to_try(wait: Callable[[float], None]) -> None:
    trust = trusting(wait)
    trust.give(2, EPOCH, ROOT, GAS)
    wait(QUICK)
    assert not trust.holds(EPOCH, ROOT)  # it waits still
    trust.see([replace(PAID, id=2)])
    assert not trust.holds(EPOCH, ROOT)  # it took long


def test_the_first_batch_is_waited_for_but_once(wait: Callable[[float], None]) -> None:
    trust = Trust()
    assert not trust.awaits_first()
    trust.give(1, EPOCH, ROOT, GAS)
    assert trust.awaits_first()
    wait(QUICK)
    assert not trust.awaits_first()
    trust.give(2, EPOCH, ROOT, GAS)
    assert not trust.awaits_first()  # a slow chain, where each is tried


def test_one_that_reverts_is_not_waited_for_again(wait: Callable[[float], None]) -> None:
    trust = trusting(wait)
    trust.give(2, EPOCH, ROOT, GAS)
    trust.see([replace(PAID, id=2, succeeded=False)])
    trust.give(3, EPOCH, ROOT, GAS)
    assert not trust.awaits_first()


def test_it_is_not_for_ever(wait: Callable[[float], None]) -> None:
    trust = trusting(wait)
    wait(LASTS)
    assert not trust.holds(EPOCH, ROOT)


def test_others_do_not_make_it() -> None:
    trust = Trust()
    trust.see([PAID])  # a claim that went alone, or a batch of the process before
    assert not trust.holds(EPOCH, ROOT)
