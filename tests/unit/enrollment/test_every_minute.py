"""One of all requests of a minute does what is due."""

from enrollment.every_minute import EveryMinute


def test_it_is_due_at_once_and_then_once_a_minute() -> None:
    now = [7.0]
    tidying = EveryMinute(lambda: now[0])
    assert [tidying.is_due(), tidying.is_due()] == [True, False]
    now[0] += 59.9
    assert not tidying.is_due()
    now[0] += 0.2
    assert [tidying.is_due(), tidying.is_due()] == [True, False]
