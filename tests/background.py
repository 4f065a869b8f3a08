"""Background work of the application in tests."""

import threading

from .timing import PATIENCE


def settle() -> None:
    """Wait until all downloads and background jobs have ended."""
    while working := [thread for thread in threading.enumerate() if thread.name in {'fsp-fetch', 'fsp-background'}]:
        for thread in working:
            thread.join(PATIENCE)
            assert not thread.is_alive()
