"""Addresses are counted by the range that one customer has."""

import pytest

from distribution.address_limits import AddressRateLimit, range_of
from distribution.errors import TooManyRequests


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        (None, "local"),
        ("testclient", "local"),
    ],
)
def test_ranges(address: str | None, counted: str) -> None:
    assert range_of(address) == counted


def test_a_range_is_counted_together_and_kinds_apart() -> None:
    limit = AddressRateLimit(2)
    limit.take("192.0.2.7", "claims")
    limit.take("192.0.2.8", "claims")
    with pytest.raises(TooManyRequests) as told:
        limit.take("192.0.2.9", "claims")
    assert 0 < told.value.retry_after <= 60
    limit.take("192.0.2.9", "reads")
    limit.take("192.0.3.9", "claims")
