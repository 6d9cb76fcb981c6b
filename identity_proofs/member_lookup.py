"""Where a commitment stands among millions of leaves: a sorted column of their low words.

An array of a million takes a tenth of a second to sort and 12 MB; a dict of integers takes ten
times as much. Low words may collide and go out of date, so that a caller checks each candidate
against the leaf itself.
"""

from collections import defaultdict

import numpy as np
import numpy.typing as npt

LowWords = npt.NDArray[np.uint64]
_RECENT = 4096  # leaves kept beside the sorted column before all are sorted again


def low_words(nodes: bytes | memoryview) -> LowWords:
    """Return the low 64 bits of each node, shape (n,), without a copy."""
    return np.frombuffer(nodes, "<u8")[::4]


class MemberLookup:
    """Candidates for a leaf's index by its low word: a sorted column and the leaves after it."""

    def __init__(self, words: LowWords) -> None:
        """Sort the low words of all leaves, shape (n,)."""
        self._order = np.argsort(words, kind="stable").astype(np.uint32)
        self._sorted = words[self._order]
        self._recent: defaultdict[int, list[int]] = defaultdict(list)
        self.size = len(words)

    @property
    def room(self) -> int:
        """The number of leaves that `add` takes before it pays to sort all again."""
        return max(_RECENT, len(self._sorted) // 8) - (self.size - len(self._sorted))

    def add(self, words: LowWords) -> None:
        """Append leaves that follow those known."""
        for word in words.tolist():
            self._recent[word].append(self.size)
            self.size += 1

    def move(self, index: int, word: int) -> None:
        """Note that the leaf at `index` has changed to one with this low word."""
        self._recent[word].append(index)

    def candidates(self, word: int) -> list[int]:
        """Return the indices of leaves that have, or had, this low word."""
        key = np.uint64(word)
        first, last = (np.searchsorted(self._sorted, key, side) for side in ("left", "right"))
        return [*self._order[first:last].tolist(), *self._recent.get(word, ())]

    def may_hold(self, words: LowWords) -> npt.NDArray[np.bool_]:
        """Tell for each low word, shape (n,), whether it has a candidate."""
        at = np.searchsorted(self._sorted, words)
        held = np.zeros(len(words), np.bool_)
        inside = at < len(self._sorted)
        held[inside] = self._sorted[at[inside]] == words[inside]
        if self._recent:
            held |= np.fromiter((word in self._recent for word in words.tolist()), np.bool_)
        return held
