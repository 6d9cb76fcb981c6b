"""When a relayer need not try a batch before it sends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Final

from distribution.sent import Sent

QUICK: Final = 2.0  # seconds within which a chain takes in what it is given, if it is quick
LASTS: Final = 60.0  # seconds after a batch was paid


@dataclass(frozen=True, slots=True)
class _Given:
    epoch: int
    root: int
    gas: int
    at: float


class Trust:
    """Batches of an epoch go untried while others are being paid, on a quick chain.

    To try a batch costs the node as much as to include it, and no gas. Where blocks are seconds
    apart it has the time; where they are made as transactions come, that is half of what those who
    wait could have. A trial could still tell what changed since a batch like it was paid: see
    docs/decisions/0040. Nothing of this is kept: a process begins without trust.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, _Given] = {}
        self._paid: tuple[int, int] | None = None  # epoch and root of the last one that was
        self._paid_at = -inf
        self._is_known = False  # whether the chain is quick

    def give(self, identifier: int, epoch: int, root: int, gas: int) -> None:
        """Note that a batch was given to the node.

        Args:
            identifier: of its transaction, in the journal.
            root: of the epoch.
            gas: what such batches take at most, as a rule.
        """
        self._waiting[identifier] = _Given(epoch, root, gas, monotonic())

    def see(self, changed: Sequence[Sent]) -> None:
        """Note what became of transactions."""
        for sent in changed:
            given = self._waiting.pop(sent.id, None)
            self._is_known = self._is_known or given is not None
            if not sent.succeeded:  # reverted, or not included (any more)
                self._paid = None
            elif given is not None:
                is_quick = monotonic() - given.at < QUICK
                is_usual = sent.gas <= given.gas
                self._paid = (given.epoch, given.root) if is_quick and is_usual else None
                self._paid_at = monotonic()

    def awaits_first(self) -> bool:
        """Whether it pays to wait for the first batch, whose end may spare all others a trial."""
        self._is_known = self._is_known or self._is_slow()
        return bool(self._waiting) and not self._is_known

    def holds(self, epoch: int, root: int) -> bool:
        """Whether a batch of this epoch may go untried."""
        is_long_ago = monotonic() - self._paid_at >= LASTS
        return self._paid == (epoch, root) and not self._is_slow() and not is_long_ago

    def _is_slow(self) -> bool:
        return any(monotonic() - given.at >= QUICK for given in self._waiting.values())
