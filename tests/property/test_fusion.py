"""Nobody who fuses to a floor is below every model's own floor; more evidence never fuses lower."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uniqueness.fusion import Fusion, Rule
from uniqueness.llr import LlrMap

maps = st.builds(LlrMap, st.floats(0.5, 200), st.floats(-100, 100))
cosines = st.one_of(st.just(float("nan")), st.floats(-1, 1))


@st.composite
def fusions_with_scores(draw: st.DrawFn) -> tuple[Fusion, np.ndarray]:
    fitted = draw(st.lists(maps, min_size=1, max_size=4))
    names = tuple(f"model:{i}" for i in range(len(fitted)))
    scores = draw(st.lists(cosines, min_size=len(fitted), max_size=len(fitted)))
    return Fusion(names, tuple(fitted), draw(st.sampled_from(Rule))), np.array(scores)


@given(fusions_with_scores(), st.floats(-300, 300))
def test_the_floors_lose_nobody(case: tuple[Fusion, np.ndarray], floor: float) -> None:
    fusion, scores = case
    found = any(
        below is not None and score >= below
        for below, score in zip(fusion.floors(floor), scores, strict=True)
    )
    assert found or fusion.fuse(scores) < floor


@given(fusions_with_scores())
def test_the_floor_at_the_score_itself_finds_the_person(case: tuple[Fusion, np.ndarray]) -> None:
    """The tightest floor there is."""
    fusion, scores = case
    fused = float(fusion.fuse(scores))
    floors = fusion.floors(fused)
    assert fused == -np.inf or any(
        below is not None and score >= below for below, score in zip(floors, scores, strict=True)
    )


@given(fusions_with_scores(), st.data())
def test_a_higher_cosine_never_fuses_lower(
    case: tuple[Fusion, np.ndarray], data: st.DataObject
) -> None:
    fusion, scores = case
    higher = np.minimum(1.0, scores + data.draw(st.floats(0, 1)))
    assert fusion.fuse(higher) >= fusion.fuse(scores)


@given(fusions_with_scores(), st.randoms())
def test_the_order_of_the_models_does_not_matter(case: tuple[Fusion, np.ndarray], random) -> None:
    fusion, scores = case
    order = list(range(len(scores)))
    random.shuffle(order)
    shuffled = Fusion(
        tuple(fusion.models[i] for i in order), tuple(fusion.maps[i] for i in order), fusion.rule
    )
    np.testing.assert_allclose(shuffled.fuse(scores[order]), fusion.fuse(scores), atol=1e-9)
