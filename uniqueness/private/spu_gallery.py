"""The templates' shares as the worker holds them: columns of a matrix, in blocks.

Imports nothing of this project but `spu_machine`: it runs in the engine's own environment.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from spu_machine import Machine, Shares

LEAST_CAPACITY = 256


class Gallery:
    """Templates as columns, in blocks of one width; the last one grows by doubling.

    A place without a template, or whose template was erased, holds shares of zero: its dot product
    with anything is 0, which reaches no threshold above 0.
    """

    def __init__(self, machine: Machine, dimension: int, width: int) -> None:
        self.count = 0
        self.dimension = dimension
        self._machine, self._width = machine, width
        self._full = 0
        self._last = self._empty(LEAST_CAPACITY)
        self._changed = False

    def add(self, shares: Shares) -> None:
        """Append (n, 2, d) shares."""
        columns = shares.transpose(2, 0, 1)
        while columns.shape[1]:
            used = self.count - self._full * self._width
            taken = columns[:, : self._width - used]
            self._grow(used + taken.shape[1])
            self._last[:, used : used + taken.shape[1]] = taken
            self._changed = True
            self.count += taken.shape[1]
            columns = columns[:, taken.shape[1] :]
            if self.count == (self._full + 1) * self._width:
                self._machine.keep(f"block{self._full}", self._last)
                self._full += 1
                self._last = self._empty(LEAST_CAPACITY)

    def erase(self, places: npt.NDArray[np.int64]) -> None:
        """Put shares of zero in these places."""
        for block in np.unique(places // self._width):
            here = places[places // self._width == block] % self._width
            if block == self._full:
                self._last[:, here] = 0
                self._changed = True
            else:
                columns = self._machine.kept(f"block{block}", self.dimension, self._width)
                columns[:, here] = 0
                self._machine.keep(f"block{block}", columns)

    def columns(self, places: npt.NDArray[np.int64]) -> Shares:
        """The shares in these places, (d, n, 2)."""
        found = self._empty(places.size)
        for block in np.unique(places // self._width):
            here = np.flatnonzero(places // self._width == block)
            whole = (
                self._last
                if block == self._full
                else self._machine.kept(f"block{block}", self.dimension, self._width)
            )
            found[:, here] = whole[:, places[here] % self._width]
        return found

    def blocks(self) -> Iterator[tuple[str, int, int]]:
        """Every block's variable, its capacity and the templates in it, the last one's last."""
        for block in range(self._full):
            yield f"block{block}", self._width, self._width
        used = self.count - self._full * self._width
        if used:
            if self._changed:
                self._machine.keep("last", self._last)
                self._changed = False
            yield "last", self._last.shape[1], used

    def _grow(self, needed: int) -> None:
        capacity = self._last.shape[1]
        if needed > capacity:
            grown = self._empty(min(power_of_two(needed), self._width))
            grown[:, :capacity] = self._last
            self._last = grown

    def _empty(self, capacity: int) -> Shares:
        return np.zeros((self.dimension, min(capacity, self._width), 2), np.uint64)


def power_of_two(count: int) -> int:
    """The least power of two that is not below `count`."""
    return 1 << max(count - 1, 0).bit_length()
