import numpy as np
import pytest

from tests.engines import ThreeEngines, make_links
from uniqueness.errors import InvalidThresholds

BLOCK = 256


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    links = make_links(tmp_path_factory.mktemp("keys"))
    with ThreeEngines(links, block=BLOCK) as three:
        yield three


@pytest.fixture(scope="module")
def gallery(engines):
    """600 templates over three blocks, added in two goes across a block's border."""
    templates = np.random.default_rng(0).integers(-300, 300, (600, 128)).astype(np.int16)
    engines.add(range(1, 251), templates[:250])
    engines.add(range(251, 601), templates[250:])
    return templates


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 5, 33])
def test_bits_are_those_of_whole_numbers_at_the_threshold_too(engines, gallery, count):
    probes = np.random.default_rng(count).integers(-300, 300, (count, 128)).astype(np.int16)
    products = probes.astype(np.int64) @ gallery.astype(np.int64).T
    best = products.max(axis=1)
    engines.probe(probes)
    for least in {1, int(best.max()), int(best.max()) + 1, int(np.median(best))}:
        told = engines.agreed(lambda engine, least=least: engine.reached(least))
        np.testing.assert_array_equal(told, best >= least)


@pytest.mark.slow
def test_a_threshold_that_nothing_reaches_is_refused(engines):
    for engine in engines.engines:
        with pytest.raises(InvalidThresholds):
            engine.reached(0)
