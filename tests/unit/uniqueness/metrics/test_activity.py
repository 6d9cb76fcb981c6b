import pytest

from uniqueness.metrics.activity import (
    MOST_KIOSKS,
    MOST_SPANS,
    OTHERS,
    Event,
    activity,
    days_with_many,
    kiosks_with_many,
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


def test_a_kiosk_and_a_day_of_many_duplicates_are_named() -> None:
    events = [e for day in range(10) for k in "abc" for e in day_of(k, day, 50, 1)]
    assert kiosks_with_many(events, "duplicate") == ()
    events += day_of("b", 5, 0, 30)
    assert [alarm.group for alarm in kiosks_with_many(events, "duplicate")] == ["b"]
    assert [alarm.group for alarm in days_with_many(events, "duplicate")] == ["5"]
    assert kiosks_with_many(events, "rejected") == ()


def test_an_empty_log() -> None:
    assert activity([]).kiosks == ()
    assert kiosks_with_many([], "duplicate") == ()
