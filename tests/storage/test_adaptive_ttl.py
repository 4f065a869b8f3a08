"""Adaptive TTL."""

import pytest

from fsp_pyramid.storage.adaptive_ttl import ttl_factor

HOUR = 3600.0


@pytest.mark.parametrize(
    ('used', 'hours_left', 'expected'),
    [
        (0, 24, 1),
        (400, 18, 1),
        (500, 24, 1),
        (501, 1, 1),  # half of the calls for an hour are plenty
        (700, 18, 2.5),
        (900, 12, 5),
        (990, 12, 50),
        (999, 24, 60),
        (1000, 1, 60),
        (1200, 1, 60),
    ],
)
def test_factor_is_share_of_day_over_share_of_calls(used: int, hours_left: float, expected: float) -> None:
    assert ttl_factor(used, 1000, hours_left * HOUR) == pytest.approx(expected)


def test_token_without_calls_has_the_largest_factor() -> None:
    assert ttl_factor(1, 0, HOUR) == 60
