import numpy as np
import pytest
from scipy.stats import genpareto

from benchmarks.score_simulation import NormalZoo
from tests.unit.uniqueness.synthetic import people_of, unit
from uniqueness.comparisons import compare, cosine_rows
from uniqueness.errors import CalibrationImpossible
from uniqueness.generalized_pareto import GeneralizedPareto, anderson_darling, mean_excess
from uniqueness.miss_rates import MissRates
from uniqueness.score_model import fpir_of_one_rate
from uniqueness.score_model_fit import fit_impostors

MILLION = 10**6


@pytest.mark.parametrize("shape", [-0.3, -0.1, 0.0, 0.2])
def test_the_fit_finds_the_distribution(shape):
    sample = genpareto.rvs(shape, scale=0.05, size=50_000, random_state=1)
    fitted = GeneralizedPareto.fit(sample)
    assert fitted.shape == pytest.approx(shape, abs=0.02)
    assert fitted.scale == pytest.approx(0.05, rel=0.03)
    assert anderson_darling(fitted, sample[:2000]) < 2.5


def test_a_weight_counts_as_copies():
    values = np.array([0.01, 0.02, 0.05, 0.11])
    copies = GeneralizedPareto.fit(np.repeat(values, 500))
    weighted = GeneralizedPareto.fit(values.repeat(250), np.full(1000, 2.0))
    assert weighted.shape == pytest.approx(copies.shape, abs=1e-3)
    assert weighted.scale == pytest.approx(copies.scale, rel=1e-3)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3])
def test_survival_and_excess_are_scipys_and_inverse(shape):
    ours = GeneralizedPareto(shape, 0.04)
    excesses = np.array([-0.1, 0.0, 0.01, 0.1, 0.19])
    np.testing.assert_allclose(ours.survival(excesses), genpareto.sf(excesses, shape, scale=0.04))
    rates = np.array([1.0, 0.3, 1e-6])
    np.testing.assert_allclose(ours.survival(ours.excess(rates)), rates)


def test_beyond_the_end_point_of_a_short_tail_there_is_nobody():
    assert GeneralizedPareto(-0.5, 0.1).survival(0.3) == 0.0


def test_mean_excess_of_an_exponential_tail_is_level():
    values = np.random.default_rng(0).exponential(0.1, 100_000)
    np.testing.assert_allclose(mean_excess(values, np.array([0.0, 0.1, 0.3])), 0.1, rtol=0.05)


def test_the_anderson_darling_distance_tells_another_law():
    uniform = np.linspace(0.001, 0.999, 999)
    assert anderson_darling(GeneralizedPareto(0.0, 0.5), uniform) > 10


@pytest.mark.slow
def test_at_a_million_each_probes_own_rate_is_right_and_one_rate_for_all_is_not():
    """The zoo: a true rate of .146, which the formula with one rate puts near .5."""
    zoo = NormalZoo(place_spread=0.02, scale_spread=0.12)
    threshold = zoo.threshold(0.146, MILLION)
    assert fpir_of_one_rate(zoo.false_match_rate(threshold), MILLION) > 0.45
    model = fit_impostors(zoo.comparisons(3000), replicates=40).model
    assert model.fpir(threshold, MILLION) == pytest.approx(0.146, rel=0.3)
    assert fpir_of_one_rate(model.false_match_rate(threshold), MILLION) > 0.4
    low, high = model.fpir_interval(threshold, MILLION)
    assert low < 0.146 < high


def test_where_everyone_is_alike_both_formulas_agree():
    zoo = NormalZoo(place_spread=0.0, scale_spread=0.0)
    model = fit_impostors(zoo.comparisons(600), replicates=2).model
    threshold = zoo.threshold(0.05, 1000)
    own = model.fpir(threshold, 1000)
    assert own == pytest.approx(fpir_of_one_rate(model.false_match_rate(threshold), 1000), rel=0.05)
    assert own == pytest.approx(0.05, rel=0.4)


@pytest.fixture(scope="module")
def fitted():
    return fit_impostors(NormalZoo(0.02, 0.1).comparisons(400), replicates=20)


def test_a_threshold_holds_its_target_and_the_next_lower_score_does_not(fitted):
    model = fitted.model
    for size in (1000, 30_000, MILLION):
        threshold = model.threshold(0.01, size)
        assert model.fpir(threshold, size) <= 0.01 < model.fpir(threshold - 1e-6, size)


def test_thresholds_rise_with_the_gallery_and_fall_with_the_target(fitted):
    by_size = [fitted.model.threshold(0.01, 10**k) for k in range(8)]
    assert by_size == sorted(by_size)
    assert fitted.model.threshold(0.001, 1000) > fitted.model.threshold(0.01, 1000)


def test_the_largest_gallery_is_where_the_target_is_just_held(fitted):
    threshold = fitted.model.threshold(0.01, 50_000)
    assert fitted.model.largest_gallery(0.01, threshold) == pytest.approx(50_000, rel=0.01)
    assert fitted.model.largest_gallery(0.01, -1.0) == 0


def test_a_seed_gives_the_same_model(fitted):
    again = fit_impostors(NormalZoo(0.02, 0.1).comparisons(400), replicates=20)
    assert again.model.replicates == fitted.model.replicates
    assert again.checks == fitted.checks


def test_every_share_that_was_tried_is_told(fitted):
    assert [check.share for check in fitted.checks] == [2e-3]  # 1e-3 would be 80 pairs
    chosen = fitted.checks[fitted.chosen]
    assert fitted.model.estimate.shape == chosen.shape
    assert fitted.excesses().size > 100


def test_comparisons_are_all_pairs_once():
    vectors, people = people_of(120, 2)
    compared = compare(cosine_rows(vectors), people)
    scores = vectors @ vectors.T
    other = people[:, None] != people[None, :]
    assert compared.impostor_pairs == 120 * 119 * 4 // 2 == compared.counts.sum()
    assert (compared.impostors == 238).all()
    np.testing.assert_allclose(compared.top[:, 0], np.where(other, scores, -2).max(axis=1))
    np.testing.assert_allclose(
        compared.top[7], scores[7, compared.top_columns[7]].astype(np.float32), rtol=1e-6
    )
    assert compared.genuine_pairs.tolist() == [[i, i + 1] for i in range(0, 240, 2)]
    np.testing.assert_allclose(compared.genuine, scores[np.arange(0, 240, 2), np.arange(1, 240, 2)])


def test_pairs_of_people_left_out_count_neither_way():
    vectors, people = people_of(120, 2)
    vectors[10] = vectors[21]  # a wrong label: person 5 is person 10
    compared = compare(cosine_rows(vectors), people, not_compared=[frozenset({5, 10})])
    assert compared.top.max() < 0.9
    assert compared.impostor_pairs == (120 * 119 // 2 - 1) * 4
    assert compared.genuine.size == 120


def test_too_little_to_compare():
    vectors, people = people_of(120, 1)
    with pytest.raises(CalibrationImpossible, match="two usable"):
        compare(cosine_rows(vectors), people)
    with pytest.raises(CalibrationImpossible, match="3 people"):
        compare(cosine_rows(vectors[:3]), people[:3])


def test_every_person_counts_alike_among_the_misses():
    """One person with four photographs (six pairs, all missed), 119 with two (all found)."""
    vectors, people = people_of(120, 2, noise=0.1)
    vectors = np.concatenate([vectors[:1], unit(np.eye(64)[:3]), vectors[2:]])
    people = np.concatenate([[0, 0, 0, 0], people[2:]])
    misses = MissRates.count(compare(cosine_rows(vectors), people))
    rate = misses.rate(0.9)
    assert misses.people == 120
    assert rate.estimate == pytest.approx(1 / 120)
    assert 0.001 < rate.low < rate.estimate < rate.high < 0.05
    assert misses.rate(-1.0).estimate == 0.0
    assert misses.rate(-1.0).high == pytest.approx(0.031, abs=0.001)
    assert misses.rate(1.1).estimate == 1.0


def test_the_highest_threshold_that_misses_no_more():
    misses = MissRates(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.5, 0.75, 1.0]), 4)
    for largest, threshold in [(0.1, 0.1), (0.25, 0.2), (0.6, 0.3), (0.99, 0.4)]:
        assert misses.threshold(largest) == threshold
        assert misses.rate(threshold).estimate <= largest


def test_many_scores_are_merged_downwards():
    compared = compare(cosine_rows(people_of(120, 10)[0]), people_of(120, 10)[1])
    assert compared.genuine.size == 5400
    misses = MissRates.count(compared)
    assert misses.scores.size <= 4000
    for threshold in np.quantile(compared.genuine, [0.01, 0.3, 0.9]):
        exact = (compared.genuine < threshold).mean()
        assert exact - 1e-9 <= misses.rate(threshold).estimate <= exact + 0.001
