import numpy as np
import pytest

from uniqueness.errors import InvalidFusion
from uniqueness.fusion import Fusion, Rule
from uniqueness.llr import LlrMap, fit_llr

MAPS = (LlrMap(20.0, -8.0), LlrMap(30.0, -9.0))
NAN = float("nan")


def fusion(rule: Rule) -> Fusion:
    return Fusion(("first:1", "second:1"), MAPS, rule)


@pytest.mark.parametrize(("rule", "fused"), [(Rule.SUM, 5.0), (Rule.ALL, 2.0), (Rule.ANY, 3.0)])
def test_the_rules(rule, fused):
    assert fusion(rule).fuse(np.array([0.5, 0.4])) == pytest.approx(fused)


@pytest.mark.parametrize(("rule", "fused"), [(Rule.SUM, 2.0), (Rule.ALL, -np.inf), (Rule.ANY, 2.0)])
def test_a_person_without_a_template_of_one_model(rule, fused):
    assert fusion(rule).fuse(np.array([0.5, NAN])) == pytest.approx(fused)


@pytest.mark.parametrize("rule", Rule)
def test_a_person_without_any_template_matches_nobody(rule):
    assert fusion(rule).fuse(np.array([NAN, NAN])) == -np.inf


@pytest.mark.parametrize("rule", Rule)
def test_arrays_of_any_shape_are_fused_element_by_element(rule):
    cosines = np.random.default_rng(0).uniform(-1, 1, (2, 3, 4)).astype(np.float32)
    fused = fusion(rule).fuse(cosines)
    assert fused.shape == (3, 4)
    assert fused[1, 2] == fusion(rule).fuse(cosines[:, 1, 2])


def test_all_needs_one_search_and_any_needs_every():
    assert fusion(Rule.ALL).floors(2.0) == (pytest.approx(0.5, abs=1e-4), None)
    assert fusion(Rule.ANY).floors(2.0) == pytest.approx((0.5, 11 / 30), abs=1e-4)
    assert fusion(Rule.SUM).floors(2.0) == pytest.approx((0.45, 1 / 3), abs=1e-4)


def test_a_model_that_cannot_reach_the_floor_is_not_searched():
    assert fusion(Rule.ANY).floors(15.0) == (None, pytest.approx(0.8, abs=1e-4))


@pytest.mark.parametrize("rule", Rule)
def test_no_floor_is_everybody(rule):
    assert fusion(rule).floors(-np.inf) == (-1.0, -1.0)


def test_what_does_not_go_together():
    with pytest.raises(InvalidFusion, match="once"):
        Fusion(("a", "a"), MAPS, Rule.SUM)
    with pytest.raises(InvalidFusion, match="once"):
        Fusion((), (), Rule.SUM)
    with pytest.raises(InvalidFusion, match="as many maps"):
        Fusion(("a",), MAPS, Rule.SUM)
    with pytest.raises(InvalidFusion, match="a row"):
        fusion(Rule.SUM).fuse(np.zeros((3, 2)))
    with pytest.raises(InvalidFusion, match="number"):
        fusion(Rule.SUM).floors(NAN)
    for slope, offset in [(0.0, 1.0), (-1.0, 1.0), (np.inf, 1.0), (1.0, NAN)]:
        with pytest.raises(InvalidFusion, match="slope"):
            LlrMap(slope, offset)


def test_the_fit_finds_the_true_ratio_of_two_normals():
    """Normals of one variance have a ratio linear in the score: slope (m1 - m0) / s^2."""
    random = np.random.default_rng(1)
    genuine, impostor = random.normal(0.6, 0.1, 20_000), random.normal(0.1, 0.1, 200_000)
    fitted = fit_llr(genuine, impostor, prior=0.01)
    assert fitted.slope == pytest.approx(50.0, rel=0.05)
    assert fitted.cosine(0.0) == pytest.approx(0.35, abs=0.01)
    assert fitted(np.array([0.35])) == pytest.approx([0.0], abs=0.5)


def test_scores_that_separate_have_a_finite_map():
    fitted = fit_llr(np.full(10, 0.8), np.linspace(-0.2, 0.2, 100))
    assert 0 < fitted.slope < 1e6


def test_a_fit_needs_both_kinds_the_right_way_round():
    with pytest.raises(InvalidFusion, match="genuine and impostor"):
        fit_llr(np.empty(0), np.zeros(3))
    with pytest.raises(InvalidFusion, match="slope"):
        fit_llr(np.full(5, 0.1), np.linspace(0.2, 0.4, 50))
