"""Error rates, from trials and from a decision log, by the standards' definitions."""

import pytest

from uniqueness.errors import TrialUnreadable
from uniqueness.metrics.activity import Event
from uniqueness.metrics.error_rates import (
    adjudicated_fpir,
    operational_rates,
    read_trial,
    worst_attack,
)
from uniqueness.metrics.rates import counted_rate

TRIAL = """measure,kind,errors,trials
fnir,,3,200
fte,,1,300
apcer,print,2,150
apcer,screen,9,150
bpcer,,4,400
"""


def test_a_trial_gives_rates_with_their_intervals() -> None:
    rates = {(r.measure, r.kind): r for r in read_trial(TRIAL.splitlines(), "spring")}
    assert rates["fnir", ""].rate == counted_rate(3, 200)
    assert rates["bpcer", ""].source == "spring"
    assert len(rates) == 5


def test_the_worst_kind_of_attack_is_the_systems_rate() -> None:
    worst = worst_attack(read_trial(TRIAL.splitlines(), "spring"))
    assert worst is not None
    assert worst.kind == "screen"
    assert worst_attack(read_trial(TRIAL.splitlines()[:3], "spring")) is None


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("fmr,,1,10", "fmr"),
        ("fnir,,11,10", "11 of 10 is no count"),
        ("fnir,,many,10", "line 2"),
        ("fnir,,1", "line 2"),
    ],
)
def test_a_line_that_is_no_count_is_named(line: str, what: str) -> None:
    with pytest.raises(TrialUnreadable, match=what):
        read_trial(["measure,kind,errors,trials", line], "spring")


def test_other_columns_are_refused() -> None:
    with pytest.raises(TrialUnreadable, match="measure,kind,errors,trials"):
        read_trial(["a,b", "1,2"], "spring")
    with pytest.raises(TrialUnreadable):
        read_trial([], "spring")


def test_what_a_log_can_tell() -> None:
    kinds = ["unique"] * 80 + ["duplicate"] * 10 + ["review"] * 2 + ["removal"] * 50
    events = [Event(kind, "", 1) for kind in kinds]
    events += [Event("rejected", "face_blurred", 1)] * 5
    events += [Event("rejected", "presentation_attack_suspected", 1)] * 3
    fta, bpcer = operational_rates(events, {"presentation_attack_suspected"})
    assert (fta.measure, fta.rate) == ("fta", counted_rate(5, 100))
    assert (bpcer.measure, bpcer.kind, bpcer.rate) == ("bpcer", "at most", counted_rate(3, 100))


def test_people_who_were_sent_to_review_by_mistake() -> None:
    events = [Event("unique", "", 1)] * 200 + [Event("adjudication", "same", 1)] * 9
    events += [Event("adjudication", "different", 1)] * 4 + [Event("duplicate", "", 1)] * 30
    found = adjudicated_fpir(events)
    assert (found.measure, found.rate) == ("fpir", counted_rate(4, 200))
    assert adjudicated_fpir([]).rate.trials == 0
