"""Memory that was freed: returned to the system now and then, where the allocator is glibc's.

glibc keeps what was freed between two blocks that are in use, for as long as the process lives. Under load of all kinds
that grew by half a MB a minute, while the memory in use stayed the same (the soak of ``docs/reliability.rst``).
"""

import ctypes
import time

# Seconds. A call takes a millisecond, and some more if there is much to return.
INTERVAL = 60.0

# https://man7.org/linux/man-pages/man3/malloc_trim.3.html
_malloc_trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)


class Trimmer:
    """Returns freed memory at intervals."""

    def __init__(self) -> None:
        self._next = time.monotonic() + INTERVAL

    def run(self) -> None:
        """Return freed memory if it is time for it."""
        now = time.monotonic()
        if now >= self._next and _malloc_trim is not None:
            self._next = now + INTERVAL
            _malloc_trim(0)
