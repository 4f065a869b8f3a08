"""What the bridge does when nobody waits for it."""

import threading

from .timing import PATIENCE


def settle() -> None:
    """Wait until nothing is fetched or done in the background any more."""
    while working := [thread for thread in threading.enumerate() if thread.name in {'fsp-fetch', 'fsp-background'}]:
        for thread in working:
            thread.join(PATIENCE)
            assert not thread.is_alive()
