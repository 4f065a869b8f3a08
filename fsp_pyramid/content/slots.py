"""Slots for contents that come from Egnyte: a bound on the threads of the server that they keep."""

import sys
from collections.abc import Callable
from contextlib import ExitStack

from ..concurrency.bulkhead import Bulkhead, BulkheadFull
from ..errors import Busy

# Bytes. A reader that stops reading keeps a thread if the content is larger than what the server buffers (waitress:
# outbuf_high_watermark). Such contents, and those of unknown size, take half of the slots at the most.
BUFFERED = 16 << 20


class ContentSlots:
    """Bulkhead for contents that requests wait for or send while they grow.

    :param most: number of slots
    :param wait: seconds that a request waits for one
    """

    def __init__(self, most: int, wait: float) -> None:
        # The threads of the server bound how many wait.
        self._all = Bulkhead(most, sys.maxsize, wait)
        self._large = Bulkhead(max(most // 2, 1), sys.maxsize, wait)

    def take(self, size: int | None) -> Callable[[], None]:
        """Take a slot for a content of *size* bytes, None for unknown, and return what releases it, once.

        Raises Busy where none becomes free.
        """
        is_large = size is None or size > BUFFERED
        with ExitStack() as stack:
            try:
                for bulkhead in (self._large, self._all) if is_large else (self._all,):
                    stack.enter_context(bulkhead.slot())
            except BulkheadFull:
                raise Busy from None
            return stack.pop_all().close
