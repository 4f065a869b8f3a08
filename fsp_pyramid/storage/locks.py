"""One at a time: locks by key, for the threads of one process."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager


class Locks:
    """As many locks as there are keys in use, and none when there are none."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, *keys: Hashable) -> Iterator[None]:
        """Hold the locks of all *keys* until the context is left; a key may be named twice."""
        with ExitStack() as stack:
            # In one order everywhere, or two callers with the same two keys would wait for each other.
            for key in sorted(set(keys), key=repr):
                stack.enter_context(self._hold(key))
            yield

    @contextmanager
    def _hold(self, key: Hashable) -> Iterator[None]:
        with self._guard:
            lock, users = self._locks.get(key) or (threading.Lock(), 0)
            self._locks[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks[key]
                if users == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = lock, users - 1
