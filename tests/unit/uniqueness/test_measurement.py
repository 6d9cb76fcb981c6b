"""From labelled templates to a calibration, wrong labels named, and the pictures of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.uniqueness.synthetic import MODEL, people_of, unit
from uniqueness.calibration import Targets
from uniqueness.calibration_plots import write_plots
from uniqueness.comparisons import compare, cosine_rows
from uniqueness.fusion import Rule
from uniqueness.measurement import Measurement, fit_map, measure

TARGETS = Targets()


@pytest.fixture(scope="module")
def measured() -> Measurement:
    vectors, people = people_of(200, 2, noise=0.8)
    vectors[10] = unit(vectors[21] + 0.2 * vectors[40])  # 10 and 21: one person under two labels
    vectors[31] = vectors[31] * 0 + unit(np.eye(64)[3])  # 30 and 31: two people under one
    return measure([MODEL], [vectors], people, targets=TARGETS, digest="ab" * 32, replicates=10)


def test_a_measurement_says_what_it_rests_on(measured: Measurement) -> None:
    data = measured.calibration.data
    assert (data.photographs, data.people) == (400, 200)
    assert (data.genuine_pairs, data.impostor_pairs) == (200, 200 * 199 // 2 * 4)
    assert data.digest == "ab" * 32
    assert measured.calibration.models == (MODEL,)
    assert measured.calibration.fusion is None


def test_wrong_labels_are_named_and_still_counted(measured: Measurement) -> None:
    assert (measured.same_person[0].first, measured.same_person[0].second) == (10, 21)
    assert len(measured.same_person) <= 2  # one more pair of strangers as high as chance has it
    assert (10, 11) in [(pair.first, pair.second) for pair in measured.different_people]
    assert (30, 31) in [(pair.first, pair.second) for pair in measured.different_people]
    lowest = [pair.score for pair in measured.different_people]
    assert lowest == sorted(lowest)


def test_a_pair_left_out_is_suspected_no_more() -> None:
    vectors, people = people_of(200, 2, noise=0.8)
    vectors[10] = vectors[21]
    again = measure(
        [MODEL], [vectors], people, targets=TARGETS, digest="", replicates=2,
        not_compared=[frozenset({5, 10})],
    )  # fmt: skip
    assert 10 not in [pair.first for pair in again.same_person]


@pytest.mark.parametrize("rule", Rule)
def test_several_models_are_fused(rule: Rule) -> None:
    first, people = people_of(150, 2, noise=1.2)
    turned = np.random.default_rng(8).permutation(64)
    second = unit(first[:, turned] + 0.5 * unit(np.random.default_rng(9).normal(size=first.shape)))
    both = measure(
        ["a:1", "b:1"], [first, second], people, targets=TARGETS, digest="", rule=rule, replicates=2
    )
    fusion = both.calibration.fusion
    assert fusion is not None
    assert fusion.models == ("a:1", "b:1")
    assert fusion.rule is rule
    assert fusion.maps[0] == fit_map(compare(cosine_rows(first), people))
    i, j = both.comparisons.genuine_pairs[0]
    cosines = np.array([first[i] @ first[j], second[i] @ second[j]])
    assert both.comparisons.genuine[0] == pytest.approx(fusion.fuse(cosines), rel=1e-4)
    assert both.calibration.at(1000).review <= fusion.bounds[1]


@pytest.mark.slow
def test_the_plots_are_grey_and_not_empty(measured: Measurement, tmp_path: Path) -> None:
    paths = write_plots(measured, tmp_path / "plots")
    assert len(paths) == 4
    for path in paths:
        with Image.open(path) as picture:
            red, green, blue = (np.asarray(c, int) for c in picture.convert("RGB").split())
        assert np.abs(red - green).max() == np.abs(green - blue).max() == 0
        assert 0.01 < (red < 128).mean() < 0.5
