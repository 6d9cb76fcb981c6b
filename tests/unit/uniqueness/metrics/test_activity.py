from uniqueness.metrics.activity import (
    Event,
    attempts_by_day_and_kiosk,
    burst_alarms,
    by_day,
    by_kiosk,
)

DAY = 24


def day_of(kiosk: str, day: int, unique: int, duplicate: int) -> list[Event]:
    events = [Event("unique", "", day * DAY + 3, kiosk)] * unique
    return events + [Event("duplicate", "", day * DAY + 23, kiosk)] * duplicate


def test_outcomes_by_kiosk_and_by_day() -> None:
    events = day_of("a", 7, 3, 1) + day_of("b", 8, 2, 0) + [Event("removal", "", 200, "a")]
    table = by_kiosk(events)
    assert table.rows == ("a", "b")
    assert table.columns == ("unique", "duplicate", "review", "rejected")
    assert table.counts == ((3, 1, 0, 0), (2, 0, 0, 0))
    days = by_day(events)
    assert days.rows == ("000007", "000008")
    assert days.counts == table.counts


def test_days_by_kiosk() -> None:
    table = attempts_by_day_and_kiosk(day_of("a", 7, 3, 1) + day_of("b", 8, 2, 0), "unique")
    assert (table.rows, table.columns) == (("000007", "000008"), ("a", "b"))
    assert table.counts == ((3, 0), (0, 2))


def test_a_kiosk_and_a_day_of_many_duplicates_are_named() -> None:
    events = [e for day in range(10) for k in "abc" for e in day_of(k, day, 50, 1)]
    assert burst_alarms(by_kiosk(events), "duplicate") == ()
    events += day_of("b", 5, 0, 30)
    assert [alarm.group for alarm in burst_alarms(by_kiosk(events), "duplicate")] == ["b"]
    assert [alarm.group for alarm in burst_alarms(by_day(events), "duplicate")] == ["000005"]


def test_an_empty_log() -> None:
    assert by_kiosk([]).rows == ()
    assert burst_alarms(by_kiosk([]), "duplicate") == ()
