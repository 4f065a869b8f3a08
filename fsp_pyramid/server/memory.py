"""Memory of a process that serves for months: garbage collection, and what the allocator keeps."""

import ctypes
import gc
import time

# Seconds between two calls of a Trimmer, which take a millisecond, and some more if there is much to return.
INTERVAL = 60.0

# https://man7.org/linux/man-pages/man3/malloc_trim.3.html
_malloc_trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)


def freeze() -> None:
    """Exempt all objects from garbage collection: modules and configuration, which live as long as the process.

    A full collection goes through them for 50 ms, in which no request goes on, and is put off until there is a quarter
    more of objects. Without them it takes 3 ms, and comes before there is much garbage. (Of the start there is little.)
    """
    gc.freeze()


class Trimmer:
    """Returns freed memory to the system at intervals, where the allocator is glibc's.

    glibc keeps what was freed between two blocks in use, for as long as the process lives. Under load of all kinds that
    grew by half a MB a minute, while the memory in use stayed the same (the soak of ``docs/reliability.rst``).
    """

    def __init__(self) -> None:
        self._next = time.monotonic() + INTERVAL

    def run(self) -> None:
        """Return freed memory if it is time for it."""
        now = time.monotonic()
        if now >= self._next and _malloc_trim is not None:
            self._next = now + INTERVAL
            _malloc_trim(0)
