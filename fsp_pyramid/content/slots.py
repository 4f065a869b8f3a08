"""How many requests may keep a thread of the server while a content comes from Egnyte."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from ..errors import Busy

# Bytes. A reader that stops reading keeps a thread if the content is larger than what the server buffers (waitress:
# outbuf_high_watermark). Such contents, and those of unknown size, take half of the slots at the most.
BUFFERED = 16 << 20


class Slots:
    """See the module.

    :param most: how many there are
    :param wait: seconds that others wait for one of them
    """

    def __init__(self, most: int, wait: float) -> None:
        self._wait = wait
        self._all, self._large = threading.BoundedSemaphore(most), threading.BoundedSemaphore(max(most // 2, 1))

    def take(self, size: int | None) -> Callable[[], None]:
        """Take a slot for a content of *size* bytes, None for unknown; returns what gives it back, once.

        Raises Busy where none becomes free.
        """
        wanted = [self._all] if size is not None and size <= BUFFERED else [self._large, self._all]
        with ExitStack() as stack:
            for semaphore in wanted:
                if not semaphore.acquire(timeout=self._wait):
                    raise Busy
                stack.callback(semaphore.release)
            return stack.pop_all().close
