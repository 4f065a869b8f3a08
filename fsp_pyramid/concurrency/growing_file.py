"""A file that grows: one thread writes it, and others follow, each at its own place."""

import io
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self


class GrowingFile:
    """Bytes that one thread appends, and that any number of readers read while they come.

    Whoever writes ends it by :meth:`finish` or :meth:`fail`. A context manager that closes it, and lets it fail with
    what the context is left with.

    :param file: seekable, open for reading and writing, empty. It belongs to this object from now on.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size, self._readers = 0, 0
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.fail(error)
        self.close()

    # Writing

    def write(self, data: bytes) -> None:
        """Append *data*. Raises OSError where there is no room for it: it is not there then."""
        with self._changed:
            if self._ended:
                raise ValueError('the file has ended')
            self._file.seek(self._size)
            self._file.write(data)
            # What readers see can be lost no more, and whoever opens the file by its name sees it, too.
            self._file.flush()
            self._size += len(data)
            self._changed.notify_all()

    def finish(self) -> None:
        """That was all."""
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """There will be no more: readers get *error*, even those that have not read all that came.

        Nothing happens where it has ended already.
        """
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
                self._changed.notify_all()

    def close(self) -> None:
        """No more writing and no new readers; the file is closed with the last reader. What has not ended fails."""
        self.fail(EOFError('the file was closed before its end'))
        with self._changed:
            self._closed = True
            self._close_unread()

    # Reading

    @property
    def size(self) -> int:
        """Bytes that have come so far."""
        return self._size

    @property
    def readers(self) -> int:
        """How many follow it at the moment."""
        return self._readers

    @property
    def ended(self) -> bool:
        """Whether it has finished or failed: nobody has to wait any more."""
        return self._ended

    def wait(self) -> int:
        """The size, as soon as it has finished. Raises what it failed with."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
            self._check()
            return self._size

    def reader(self) -> 'Reader':
        """A reader at the beginning. Close it."""
        with self._changed:
            if self._closed:
                raise ValueError('the file is closed')
            self._readers += 1
        return Reader(self)

    def read(self, start: int, size: int) -> bytes:
        """At most *size* bytes from *start* on, as soon as there are any; none behind the end. For 0 nobody waits.

        Raises what it failed with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or start < self._size or not size)
            self._check()
            self._file.seek(start)
            return self._file.read(min(size, max(self._size - start, 0)))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """A reader has gone."""
        with self._changed:
            self._readers -= 1
            self._close_unread()

    def _close_unread(self) -> None:
        if self._closed and not self._readers:
            # Closing flushes once more what there was no room for; whoever wrote that has been told.
            with suppress(OSError):
                self._file.close()


class Reader(io.RawIOBase):
    """Follows a growing file: a seekable binary file for one thread, whose ``read`` waits where nothing has come yet.

    As with any raw file, ``read(n)`` may return less than *n* bytes; ``b''`` is the end. It waits as long as it takes:
    whoever writes has to see to it that it ends.
    """

    def __init__(self, file: GrowingFile) -> None:
        super().__init__()
        self._file, self._position = file, 0
        self._on_close: Callable[[], None] | None = None

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call *callback* when the reader is closed, or dropped."""
        self._on_close = callback

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, be it one that has not come yet. To count from the end waits for the end."""
        match whence:
            case os.SEEK_SET:
                base = 0
            case os.SEEK_CUR:
                base = self._position
            case _:
                base = self._file.wait()
        if base + offset < 0:
            raise ValueError('there is nothing before the beginning')
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._file.leave()
            if self._on_close is not None:
                self._on_close()
