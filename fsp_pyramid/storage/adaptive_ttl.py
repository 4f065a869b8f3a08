"""How scarce the calls to Egnyte are, and for how much longer listings are believed then."""

from ..egnyte.errors import DAY

# Of the day's calls, this share may be used before anything changes.
FREELY = 0.5
# A listing is believed for so many times its usual time at the most.
MOST = 60.0


def ttl_factor(used: int, daily: int, resets_in: float) -> float:
    """How many times longer than usual a listing is believed: 1 while there are calls enough, 60 when none is left.

    Beyond half of the calls it is the share of the day that is left over the share of the calls that is left.

    :param used: calls of this day
    :param daily: how many there are in a day
    :param resets_in: seconds until the day ends
    """
    if used <= daily * FREELY:
        return 1.0
    if used >= daily:
        return MOST
    return min(max(resets_in / DAY / (1 - used / daily), 1.0), MOST)
