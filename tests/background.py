"""Background work of the application in tests."""

import sys
import threading
import traceback

from .timing import PATIENCE


def settle() -> None:
    """Wait until all downloads and background jobs have ended."""
    while working := [thread for thread in threading.enumerate() if thread.name in {'fsp-fetch', 'fsp-background'}]:
        for thread in working:
            thread.join(PATIENCE)
            assert not thread.is_alive(), f'{thread.name} goes on:\n{_stack(thread)}'


def _stack(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return ''.join(traceback.format_stack(frame)) if frame else 'it has just ended'
