import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.engines import ThreeEngines, engine_python, make_links, shares_of
from uniqueness.errors import EngineFailed, InvalidThresholds
from uniqueness.private.certificates import make_certificate
from uniqueness.private.engine import Engine
from uniqueness.private.quantised import SQUARED_NORM, quantise

pytestmark = pytest.mark.slow

BLOCK = 512
PEOPLE = 1300  # two full blocks and a part of one
SOON = 15.0  # seconds; a peer that is gone is noticed by its link, long before any timeout


def templates(seed, count, dimension=128):
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    units = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.stack([quantise(unit.astype(np.float32)) for unit in units])


def products_of(left, right):
    return left.astype(np.int64) @ right.astype(np.int64).T


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    with ThreeEngines(make_links(tmp_path_factory.mktemp("keys")), block=BLOCK) as three:
        yield three


@pytest.fixture(scope="module")
def gallery(engines):
    """Numbers 1 to 1,300, added in stretches that cross the blocks' borders."""
    people = templates(0, PEOPLE)
    for start, end in ((0, 250), (250, 600), (600, 601), (601, PEOPLE)):
        engines.add(range(start + 1, end + 1), people[start:end])
    return people


def test_bits_are_those_of_whole_numbers(engines, gallery):
    rng = np.random.default_rng(1)
    for count in (1, 2, 3, 17, 33):
        probes = templates(count, count)
        probes[-1] = gallery[rng.integers(PEOPLE)]
        best = products_of(probes, gallery).max(axis=1)
        engines.probe(probes)
        edges = {*best.tolist(), *(best + 1).tolist()} if count < 4 else {int(np.median(best))}
        for least in (1, SQUARED_NORM, *sorted(edges - {SQUARED_NORM + 1})):
            told = engines.agreed(lambda engine, least=least: engine.reached(least))
            np.testing.assert_array_equal(told, best >= least)


def test_each_template_is_told_at_the_threshold_and_just_below_it(engines, gallery):
    probes = templates(2, 5)
    products = products_of(probes, gallery)
    engines.probe(probes)
    rows = [4, 0, 1]
    for least in (*np.sort(products[4])[-3:].tolist(), 100_000, 1):
        for exactly in (least, least + 1):
            told = engines.agreed(lambda engine, at=exactly: engine.reaching(at, rows))
            np.testing.assert_array_equal(told, products[rows] >= exactly)


def test_probes_are_compared_with_each_other(engines, gallery):
    probes = np.concatenate([templates(3, 6), gallery[:1], gallery[:1]])
    products = products_of(probes, probes)
    engines.probe(probes)
    for least in (int(products[0, 1]), int(products[0, 1]) + 1, 1, SQUARED_NORM):
        if least > 0:
            told = engines.agreed(lambda engine, least=least: engine.among(least))
            np.testing.assert_array_equal(told, products >= least)


def test_the_nearest_of_a_few_is_the_first_of_equals(engines, gallery):
    engines.probe(np.concatenate([templates(4, 3), -gallery[:1]]))
    products = products_of(np.concatenate([templates(4, 3), -gallery[:1]]), gallery)
    for row, few in ((0, [5]), (1, [900, 3, 1300, 512, 513]), (2, [7, 8]), (3, [1, 2, 3])):
        told = engines.agreed(lambda engine, row=row, few=few: engine.nearest(row, few))
        assert told == few[int(np.argmax(products[row, np.array(few) - 1]))]
    assert engines.agreed(lambda engine: engine.nearest(0, [9, 4, 9, 4])) in {4, 9}


def test_a_bucket_below_the_minimum_is_made_zero_before_it_is_opened(engines, gallery):
    probes = templates(5, 3)
    products = np.sort(products_of(probes, gallery).ravel())
    engines.probe(probes)
    # 999 in the first bucket and 1,000 in the second
    edges = [int(products[0]), int(products[999]), int(products[1999]), SQUARED_NORM]
    assert len(set(products[[998, 999, 1998, 1999]].tolist())) == 4
    counts = engines.agreed(lambda engine: engine.histogram(edges))
    assert counts.tolist() == [0, 1000, products.size - 1999]
    counts = engines.agreed(lambda engine: engine.histogram(edges, 999))
    assert counts.tolist() == [999, 1000, products.size - 1999]


def test_who_is_erased_matches_nobody_and_is_not_counted(tmp_path):
    people = templates(6, 700)
    with ThreeEngines(make_links(tmp_path), block=BLOCK) as engines:
        engines.probe(people[[0, 600, 5]])
        told = engines.agreed(lambda engine: engine.reached(1))
        assert not told.any()  # nobody is there yet
        engines.add(range(700), people)
        engines.each(lambda engine: engine.erase([0, 600]))
        told = engines.agreed(lambda engine: engine.reached(SQUARED_NORM))
        assert told.tolist() == [False, False, True]
        told = engines.agreed(lambda engine: engine.reaching(SQUARED_NORM // 2, [0, 1, 2]))
        assert np.argwhere(told).tolist() == [[2, 5]]
        counts = engines.agreed(
            lambda engine: engine.histogram([-SQUARED_NORM, SQUARED_NORM + 1], 1)
        )
        assert counts.tolist() == [3 * 698]
        # Whoever comes after is compared, and finds the place of nobody.
        engines.add([700], people[:1])
        told = engines.agreed(lambda engine: engine.reached(SQUARED_NORM))
        assert told.tolist() == [True, False, True]


def test_templates_of_512_values(tmp_path):
    people, probes = templates(7, 300, 512), templates(8, 4, 512)
    best = products_of(probes, people).max(axis=1)
    with ThreeEngines(make_links(tmp_path)) as engines:
        engines.add(range(300), people)
        engines.probe(probes)
        for least in (*best.tolist(), *(best + 1).tolist()):
            told = engines.agreed(lambda engine, least=least: engine.reached(least))
            np.testing.assert_array_equal(told, best >= least)


@pytest.mark.parametrize("least", [0, -1, 2**24 + 1])
def test_a_threshold_that_says_nothing_is_refused(engines, least):
    for ask in (Engine.reached, Engine.among, lambda engine, at: engine.reaching(at, [0])):
        with pytest.raises(InvalidThresholds):
            ask(engines.engines[0], least)


@pytest.mark.parametrize("edges", [[1], [1, 1], [2, 1], [0, 2**24 + 1]])
def test_edges_that_make_no_buckets_are_refused(engines, edges):
    with pytest.raises(InvalidThresholds):
        engines.engines[0].histogram(edges)


def ended(process):
    """Whether a process is gone, within a while."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def outcome(call):
    try:
        call()
    except EngineFailed as error:
        return error
    return None


def meeting(links):
    """How each party's attempt to start a session ended."""

    def start(rank):
        Engine(rank, links[rank], engine_python(), start_timeout=8).close()

    with ThreadPoolExecutor(len(links)) as pool:
        return list(pool.map(lambda rank: outcome(lambda: start(rank)), range(len(links))))


@pytest.mark.parametrize(
    ("victim", "step"), [(0, "within"), (1, "within"), (2, "within"), (0, "before"), (1, "local")]
)
def test_a_worker_that_is_killed_ends_the_session_everywhere_soon(tmp_path, victim, step):
    with ThreeEngines(make_links(tmp_path), block=BLOCK, timeout=60) as engines:
        engines.add(range(PEOPLE), templates(0, PEOPLE))
        engines.probe(templates(1, 32))
        workers = [engine.process_id for engine in engines.engines]
        started = time.monotonic()
        if step == "within":
            threading.Timer(0.2, os.kill, [workers[victim], signal.SIGKILL]).start()
        else:
            os.kill(workers[victim], signal.SIGKILL)
        if step == "local":
            with pytest.raises(EngineFailed):
                engines.engines[victim].erase([1])
        for _ in range(50):  # it may take a while until a killed worker is missed
            failed = engines.each(lambda engine: outcome(lambda: engine.reached(1)))
            if any(failed):
                break
        failed = engines.each(lambda engine: outcome(lambda: engine.reached(1)))
        assert all(failed)
        assert time.monotonic() - started < SOON
        engines.each(lambda engine: engine.close())
        assert all(ended(worker) for worker in workers)


def test_a_party_that_closes_ends_the_session_of_the_others_soon(tmp_path):
    with ThreeEngines(make_links(tmp_path), timeout=60) as engines:
        engines.add(range(10), templates(0, 10))
        engines.probe(templates(1, 1))
        started = time.monotonic()
        waiting = ThreadPoolExecutor(2)
        others = [
            waiting.submit(outcome, partial(engine.reached, 1)) for engine in engines.engines[:2]
        ]
        engines.engines[2].close()
        assert all(other.result() for other in others)
        assert time.monotonic() - started < SOON
        waiting.shutdown()


def compute_for_ever(directory, pipe):
    with ThreeEngines(make_links(directory)) as engines:
        engines.add(range(2000), templates(0, 2000))
        engines.probe(templates(1, 32))
        pipe.send([engine.process_id for engine in engines.engines])
        while True:
            engines.each(lambda engine: engine.reached(1))


def test_workers_end_with_their_daemon(tmp_path):
    mine, theirs = multiprocessing.get_context("spawn").Pipe()
    daemon = multiprocessing.get_context("spawn").Process(
        target=compute_for_ever, args=(tmp_path, theirs)
    )
    daemon.start()
    workers = mine.recv()
    time.sleep(1)
    daemon.kill()
    daemon.join()
    assert all(ended(worker) for worker in workers)


def test_a_silent_peer_is_given_up(tmp_path):
    with ThreeEngines(make_links(tmp_path), timeout=2) as engines:
        engines.add(range(10), templates(0, 10))
        engines.probe(templates(1, 1))
        os.kill(engines.engines[1].process_id, signal.SIGSTOP)
        failed = engines.each(lambda engine: outcome(lambda: engine.reached(1)))
        assert all(failed)


def test_a_party_whose_certificate_is_not_pinned_does_not_take_part(tmp_path):
    links = make_links(tmp_path)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    make_certificate(stranger / "2.pem", stranger / "2.key", "party 2")
    (stranger / "trusted.pem").write_text(
        links[2].trusted.read_text().replace((tmp_path / "2.pem").read_text(), "")
        + (stranger / "2.pem").read_text()
    )
    links[2] = replace(
        links[2],
        certificate=stranger / "2.pem",
        key=stranger / "2.key",
        trusted=stranger / "trusted.pem",
    )
    assert all(meeting(links))


def test_parties_of_two_sessions_do_not_meet(tmp_path):
    links = make_links(tmp_path)
    links[1] = replace(links[1], session="another")
    assert all(meeting(links))


def test_what_one_party_holds_does_not_depend_on_the_template():
    """Chi-squared on bytes and correlation with values, over many splits of one template."""
    template = templates(9, 1, 64)[0]
    splits = 4000
    rng = np.random.default_rng(10)
    held = np.stack(shares_of(np.repeat(template[None], splits, axis=0)))
    for party in range(3):
        counts = np.bincount(held[party].view(np.uint8).ravel(), minlength=256)
        expected = counts.sum() / 256
        chi_squared = ((counts - expected) ** 2 / expected).sum()
        assert chi_squared < 255 + 6 * np.sqrt(2 * 255)
        for component in range(2):
            # The top bits, as signed numbers, against the template, and a random one against it.
            values = held[party, :, component].view(np.int64).astype(np.float64)
            noise = rng.permutation(template)
            for against in (template, noise):
                correlation = np.corrcoef(values.ravel(), np.tile(against, splits))[0, 1]
                assert abs(correlation) < 6 / np.sqrt(values.size)
            # The low bits, in which a template's own values would show.
            low = (held[party, :, component] & np.uint64(0xFFF)).astype(np.float64)
            correlation = np.corrcoef(low.ravel(), np.tile(template, splits))[0, 1]
            assert abs(correlation) < 6 / np.sqrt(low.size)


def test_what_a_party_adds_to_a_product_does_not_tell_the_product():
    """Over many splits of one pair of templates, one party's addend is anything alike."""
    left, right = templates(11, 2, 64)
    splits = 3000
    lefts = shares_of(np.repeat(left[None], splits, axis=0))
    rights = shares_of(np.repeat(right[None], splits, axis=0))
    total = np.zeros(splits, np.int64)
    for party in range(3):
        own, following = lefts[party].transpose(1, 0, 2)
        other, other_following = rights[party].transpose(1, 0, 2)
        addend = (own * (other + other_following) + following * other).sum(axis=1)
        total += addend.view(np.int64)
        counts = np.bincount(((addend & np.uint64(0x3FFFFFF)) >> np.uint64(18)).astype(np.int64))
        expected = splits / 256
        chi_squared = ((counts - expected) ** 2 / expected).sum()
        assert chi_squared < 255 + 6 * np.sqrt(2 * 255)
    assert (total == products_of(left[None], right[None])[0, 0]).all()
