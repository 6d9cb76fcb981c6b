from uniqueness.metrics.queues import QueueAges, queue_ages


def test_ages_of_what_waits() -> None:
    ages = queue_ages([1000 - age for age in range(1, 101)], now=1000)
    assert ages == QueueAges(waiting=100, median=50, p95=95, oldest=100)


def test_one_waits_and_a_clock_is_ahead() -> None:
    assert queue_ages([990.0], now=1000.0) == QueueAges(1, 10.0, 10.0, 10.0)
    assert queue_ages([1010.0], now=1000.0).oldest == 0.0


def test_nothing_waits() -> None:
    assert queue_ages([], now=1000.0) == QueueAges(0, 0.0, 0.0, 0.0)
