"""What the bridge does when nobody waits for it."""

import threading


def settle() -> None:
    """Wait until nothing is fetched or done in the background any more."""
    for thread in threading.enumerate():
        if thread.name in {'fsp-fetch', 'fsp-background'}:
            thread.join(20)
            assert not thread.is_alive()
