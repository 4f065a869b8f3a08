"""Growing file: one thread writes it while others read it, each at its own position."""

import io
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self, cast


class GrowingFile:
    """Bytes that one thread appends while any number of readers read them.

    The writer ends the file by :meth:`finish` or :meth:`fail`. As a context manager, it closes the file, which fails
    with the exception that leaves the context.

    :param file: seekable, open for reading and writing, empty. This object owns it from now on.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = cast(io.BufferedRandom, file)  # IO has no readinto(), which all such files have
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
        """Append *data*. Raises OSError if there is no room for it.

        After that nothing can be read, and the writer has to fail the file: bytes that were there may be lost as well,
        for example where a SpooledTemporaryFile could not move them to a full disk.
        """
        with self._changed:
            if self._ended:
                raise ValueError('the file has ended')
            try:
                self._file.seek(self._size)
                self._file.write(data)
                # Readers see flushed bytes only, and so does a process that opens the file by its name.
                self._file.flush()
            except OSError:
                self._size = 0
                raise
            self._size += len(data)
            self._changed.notify_all()

    def finish(self) -> None:
        """End the file."""
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """End the file with *error*: readers get it, even if they have not read all bytes before it.

        Do nothing if the file has ended already.
        """
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
                self._changed.notify_all()

    def close(self) -> None:
        """Refuse new readers, and close the file with the last reader. A file that has not ended fails."""
        self.fail(EOFError('the file was closed before its end'))
        with self._changed:
            self._closed = True
            self._close_unread()

    # Reading

    @property
    def size(self) -> int:
        """Number of bytes that were written so far."""
        return self._size

    @property
    def readers(self) -> int:
        """Number of open readers."""
        return self._readers

    @property
    def ended(self) -> bool:
        """True if it has finished or failed: no reader has to wait any more."""
        return self._ended

    def wait(self) -> int:
        """Return the size as soon as the file has finished. Raises the error of :meth:`fail`."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
            self.check()
            return self._size

    def reader(self) -> 'Reader':
        """Return a reader at the beginning. The caller closes it."""
        with self._changed:
            if self._closed:
                raise ValueError('the file is closed')
            self._readers += 1
        return Reader(self)

    def readinto(self, start: int, buffer: memoryview) -> int:
        """Read bytes from *start* on into *buffer*, as soon as there are any; return their number, 0 at the end.

        An empty buffer needs no wait. Raises the error of :meth:`fail`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or start < self._size or not len(buffer))
            self.check()
            self._file.seek(start)
            return self._file.readinto(buffer[: max(self._size - start, 0)])

    def check(self) -> None:
        """Raise the error of :meth:`fail`, if there is one."""
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Count a reader as closed."""
        with self._changed:
            self._readers -= 1
            self._close_unread()

    def _close_unread(self) -> None:
        if self._closed and not self._readers:
            # Closing flushes once more what there was no room for; the writer got that error already.
            with suppress(OSError):
                self._file.close()


class Reader(io.RawIOBase):
    """A seekable binary file for one thread, whose ``read`` waits for bytes that are not written yet.

    As with any raw file, ``read(n)`` may return less than *n* bytes; ``b''`` is the end. It waits without a timeout:
    the writer ensures that the file ends.
    """

    def __init__(self, file: GrowingFile) -> None:
        super().__init__()
        self._file, self._position = file, 0
        self._on_close: Callable[[], None] | None = None

    def when_closed(self, callback: Callable[[], None]) -> None:
        """Call *callback* when the reader is closed or garbage-collected."""
        self._on_close = callback

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as there are, up to the size of *buffer*; wait if there are none."""
        size = self._file.readinto(self._position, memoryview(buffer))
        self._position += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position, which may be beyond what is written. SEEK_END waits for the end."""
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
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Release the file."""
        if not self.closed:
            super().close()
            self._file.leave()
            if self._on_close is not None:
                self._on_close()
