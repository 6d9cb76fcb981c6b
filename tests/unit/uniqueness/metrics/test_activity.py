import pytest

from uniqueness.metrics.activity import (
    MOST_KIOSKS,
    MOST_OPERATORS,
    MOST_SPANS,
    OTHERS,
    Event,
    activity,
    groups_with_many,
)

DAY = 24


def day_of(kiosk: str, day: int, unique: int, duplicate: int) -> list[Event]:
    events = [Event("unique", "", day * DAY + 3, kiosk)] * unique
    return events + [Event("duplicate", "", day * DAY + 23, kiosk)] * duplicate


def test_attempts_by_kiosk_time_and_outcome() -> None:
    events = day_of("a", 7, 30, 10) + day_of("b", 8, 20, 0) + [Event("removal", "", 200, "a")]
    found = activity(events)
    assert (found.kiosks, found.first_days, found.days) == (("a", "b"), (7, 8), 1)
    assert found.counts.tolist() == [
        [[30, 10, 0, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [20, 0, 0, 0]],
    ]


def test_many_kiosks_are_joined() -> None:
    events = [e for n in range(20) for e in day_of(f"k{n:02}", 5, 100 - n, 10)]
    found = activity(events)
    assert found.kiosks == (*(f"k{n:02}" for n in range(MOST_KIOSKS - 1)), OTHERS)
    assert found.counts.sum() == len(events)
    assert found.counts[-1].sum() == len(events) - sum(110 - n for n in range(MOST_KIOSKS - 1))


@pytest.mark.parametrize(
    ("days", "each", "span"),
    [
        (20, 30, 1),
        (40, 30, 7),
        (20, 4, 7),
        (200, 30, 28),
        (4000, 30, 364),
        (20, 1, 28),
        (2000, 1, 364),
        (9500, 1, 9500),
    ],
)
def test_spans_are_as_short_as_counts_and_a_page_allow(days: int, each: int, span: int) -> None:
    found = activity([e for day in range(days) for e in day_of("a", day, each, 0)])
    assert found.days == span
    assert len(found.first_days) == -(-days // span) <= MOST_SPANS
    assert found.counts.sum() == days * each


def test_kiosks_stand_with_their_operators() -> None:
    events = [
        Event("unique", "", 5 * DAY, f"k{n}", operator)
        for n, operator in enumerate(["ada", "ben", "ada", "ben", ""])
        for _ in range(20 + n)
    ]
    found = activity(events)
    assert found.kiosks == ("k4", "k0", "k2", "k1", "k3")
    assert found.operators == ("", "ada", "ada", "ben", "ben")
    assert found.group_names == ("", "ada", "ben")
    assert found.groups == ((0,), (1, 2), (3, 4))
    assert found.counts[:, 0, 0].tolist() == [24, 20, 22, 21, 23]


def test_many_operators_are_joined_with_the_kiosks_that_are_busy_kept_apart() -> None:
    events = [
        Event("unique", "", 5 * DAY, f"k{n:02}", f"o{n % 6}")
        for n in range(18)
        for _ in range(99 - n)
    ]
    found = activity(events)
    assert found.group_names == (*(f"o{n}" for n in range(MOST_OPERATORS - 1)), OTHERS)
    assert found.counts.sum() == len(events)
    named = [kiosk for kiosk in found.kiosks if kiosk != OTHERS]
    assert sorted(named) == [f"k{n:02}" for n in range(MOST_KIOSKS - 1)]
    of_others = dict(zip(found.kiosks, found.operators, strict=True))
    assert (of_others["k00"], of_others["k03"]) == ("o0", OTHERS)


def test_who_has_many_of_something_is_named() -> None:
    def kiosk(event: Event) -> str:
        return event.kiosk

    def is_duplicate(event: Event) -> bool:
        return event.kind == "duplicate"

    events = [e for day in range(10) for k in "abc" for e in day_of(k, day, 50, 1)]
    assert groups_with_many(events, kiosk, is_duplicate) == ()
    events += day_of("b", 5, 0, 30)
    assert [a.group for a in groups_with_many(events, kiosk, is_duplicate)] == ["b"]
    by_day = groups_with_many(events, lambda event: str(event.day), is_duplicate)
    assert [alarm.group for alarm in by_day] == ["5"]
    assert groups_with_many(events, kiosk, lambda event: event.kind == "rejected") == ()


def test_what_is_no_attempt_is_no_trial() -> None:
    events = [*day_of("a", 1, 0, 30), *day_of("b", 1, 30, 0), Event("removal", "", DAY, "a")]
    (alarm,) = groups_with_many(events, lambda e: e.kiosk, lambda e: e.kind != "unique")
    assert (alarm.group, alarm.rate.hits, alarm.rate.trials) == ("a", 30, 30)


def test_an_empty_log() -> None:
    assert activity([]).kiosks == ()
    assert groups_with_many([], lambda event: event.kiosk, lambda _: True) == ()
