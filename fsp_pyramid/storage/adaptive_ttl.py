"""Adaptive TTL: the fewer calls to Egnyte are left for the day, the longer listings stay fresh."""

from ..egnyte.errors import DAY

# Share of the day's calls that may be used before the TTL grows.
UNRESTRICTED = 0.5
# Largest factor of the TTL.
MOST = 60.0


def ttl_factor(used: int, daily: int, resets_in: float) -> float:
    """Return the factor of the usual TTL: 1 while calls are plenty, 60 when none is left.

    Beyond half of the calls, it is the share of the day that is left over the share of the calls that is left.

    :param used: calls made today
    :param daily: calls allowed per day
    :param resets_in: seconds until the day ends
    """
    if used <= daily * UNRESTRICTED:
        return 1.0
    if used >= daily:
        return MOST
    return min(max(resets_in / DAY / (1 - used / daily), 1.0), MOST)
