"""Look-up of the value of a setting by its key."""

from operator import attrgetter
from typing import Any

from fsp_pyramid.settings import CLIENT_KEYS, Settings


def value_of(settings: Settings, key: str) -> Any:
    """Return the value of *key*; for a key of clients, the value of the only client."""
    if key in CLIENT_KEYS:
        (holder,) = settings.clients.values()
        return attrgetter(key.removeprefix('fsp.'))(holder)
    return attrgetter(key.removeprefix('fsp.'))(settings)
