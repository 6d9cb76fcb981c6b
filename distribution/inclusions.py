"""Where in the chain is what an account sent, and what a reorg took from there."""

from dataclasses import dataclass

import structlog

from distribution.chain import Chain
from distribution.endpoint import Inclusion
from distribution.journal import Journal
from distribution.sent import Sent, SentState

_log = structlog.get_logger("distribution.sender")


@dataclass(frozen=True, slots=True)
class Found:
    """What one look at the chain found.

    Attributes:
        head: number of the newest block.
        changed: ids of those that are not where they were.
        missing: those that are in no block.
    """

    head: int
    changed: set[int]
    missing: list[Sent]


class Inclusions:
    """Notes in a journal which blocks its transactions are in.

    Args:
        confirmations: see `SendingPolicy`.
    """

    def __init__(self, chain: Chain, journal: Journal, confirmations: int) -> None:
        self._chain = chain
        self._journal = journal
        self._confirmations = confirmations

    def note_all(self) -> Found:
        """Look at the chain once."""
        final, under_way = self._journal.newest_final(), self._journal.transactions()
        blocks = {sent.block for sent in under_way if sent.block is not None}
        blocks |= {final[0]} if final is not None else set()
        head, hashes = self._chain.block_hashes(blocks)
        found = Found(head, set(), [])
        if final is not None and hashes[final[0]] != final[1]:
            found.changed.update(self._undo_reorganised())
            under_way = self._journal.transactions()
        # A block whose hash is the same holds the same transactions.
        standing = {
            sent.id
            for sent in under_way
            if sent.block is not None and hashes.get(sent.block) == sent.block_hash
        }
        asked = [one.hash for sent in under_way if sent.id not in standing for one in sent.versions]
        inclusions = self._chain.inclusions(asked)
        for sent in under_way:
            if sent.id not in standing:
                self._note(sent, inclusions, found)
            elif self._is_final(sent.block, found.head):
                self._journal.mark_final(sent)
                found.changed.add(sent.id)
        return found

    def _note(self, sent: Sent, inclusions: dict[str, Inclusion | None], found: Found) -> None:
        for version in reversed(sent.versions):
            inclusion = inclusions[version.hash]
            if inclusion is None:
                continue
            if (sent.block_hash, sent.included_hash) != (inclusion.block_hash, version.hash):
                if sent.state is SentState.INCLUDED:
                    _log.warning("reorganised", transaction=version.hash, block=inclusion.block)
                self._journal.mark_included(sent, version, inclusion)
                found.changed.add(sent.id)
            if self._is_final(inclusion.block, found.head):
                self._journal.mark_final(sent)
                found.changed.add(sent.id)
            return
        if sent.state is SentState.INCLUDED:
            _log.warning("reorganised", transaction=sent.hash, block=sent.block)
            self._journal.reopen(sent)
            found.changed.add(sent.id)
        found.missing.append(sent)

    def _is_final(self, block: int | None, head: int) -> bool:
        return block is not None and head - block + 1 >= self._confirmations

    def _undo_reorganised(self) -> list[int]:
        """Reopen what was final, where the chain has other blocks now; returns their ids."""
        lowest: int | None = None
        while (final := self._journal.newest_final(below=lowest)) is not None:
            block, block_hash = final
            if self._chain.block_hash(block) == block_hash:
                break
            lowest = block
        if lowest is None:
            return []
        _log.error("reorganised_below_finality", block=lowest)
        return self._journal.reopen_from(lowest)
