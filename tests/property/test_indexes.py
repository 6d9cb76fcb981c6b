"""Additions, removals, searches and restorations in any order: every index says what NumPy says."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.unit.uniqueness.recorded_index import (
    Database,
    RecordedCompactIndex,
    RecordedFloat16Index,
    RecordedInt8Index,
)
from tests.unit.uniqueness.synthetic import DIMENSION, people
from uniqueness.faiss_index import FaissFlatIndex
from uniqueness.index import NumpyIndex

ROUNDING = 1e-5
POOL = people(400, seed=11)

KINDS = {
    "flat": lambda _: FaissFlatIndex(DIMENSION),
    "compact": lambda database: RecordedCompactIndex(DIMENSION, database),
    "float16": lambda database: RecordedFloat16Index(DIMENSION, database),
    "int8": lambda database: RecordedInt8Index(DIMENSION, database),
}


class IndexMachine(RuleBasedStateMachine):
    """One index beside the oracle; ids ascend and are never used twice."""

    kind = ""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database()
        self.index = KINDS[self.kind](self.database)
        self.oracle = NumpyIndex(DIMENSION)
        self.next_id = 1

    @rule(
        members=st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=30),
        gap=st.integers(0, 9),
    )
    def add(self, members, gap):
        ids = np.arange(len(members), dtype=np.int64) + self.next_id + gap
        self.next_id = int(ids[-1]) + 1
        for one in (self.index, self.oracle):
            one.add(ids, POOL[members])

    @rule(share=st.floats(0, 1), seed=st.integers(0, 99))
    def remove(self, share, seed):
        drawn = np.random.default_rng(seed).random(self.next_id) < share
        gone = np.flatnonzero(drawn).astype(np.int64)
        for one in (self.index, self.oracle):
            one.remove(gone)

    @rule()
    def restore(self):
        state = {name: array.copy() for name, array in self.index.state().items()}
        self.index = KINDS[self.kind](self.database)
        self.index.restore(state)

    @rule()
    def clear(self):
        self.index.clear()
        self.oracle.clear()

    @rule(first=st.integers(0, 390), k=st.integers(1, 12), floor=st.floats(-1, 1))
    def search(self, first, k, floor):
        probes = POOL[first : first + 3]
        found = self.index.search(probes, k, floor=floor).scores
        expected = self.oracle.search(probes, k).scores
        above = expected >= floor + ROUNDING
        np.testing.assert_allclose(found[above], expected[above], atol=ROUNDING)
        assert (found[np.isneginf(expected)] == -np.inf).all()

    @rule(first=st.integers(0, 390), floor=st.floats(-1, 1))
    def search_range(self, first, floor):
        probes = POOL[first : first + 3]
        found = self.index.search_range(probes, floor)
        surely = self.oracle.search_range(probes, floor + ROUNDING)
        perhaps = self.oracle.search_range(probes, floor - ROUNDING)
        pairs = set(zip(found.probes.tolist(), found.ids.tolist(), strict=True))
        assert pairs >= set(zip(surely.probes.tolist(), surely.ids.tolist(), strict=True))
        assert pairs <= set(zip(perhaps.probes.tolist(), perhaps.ids.tolist(), strict=True))
        assert len(pairs) == len(found.ids)

    @invariant()
    def holds_as_many(self):
        assert len(self.index) == len(self.oracle)


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_says_what_the_oracle_says(kind):
    machine = type(f"{kind}Machine", (IndexMachine,), {"kind": kind})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )
