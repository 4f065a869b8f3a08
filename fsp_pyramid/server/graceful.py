"""waitress with a graceful shutdown, with bounded memory for long responses, and with freed memory returned.

waitress itself ends at once on SIGTERM. On SIGINT it stops its event loop first, so that responses of the threads that
it waits for are not sent (https://github.com/Pylons/waitress/issues/198). Here the loop runs until the last response is
sent.
"""

import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask
from waitress.utilities import RequestEntityTooLarge

from ..disk import log_temporary
from .memory import Trimmer, freeze

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Seconds for idle threads to end after the last response.
THREADS_END = 1.0
# Bytes of a body that is no file; forms and JSON objects have half of that at most, and are refused with a message.
SMALL_BODY = 128 << 10
# Seconds for a request to arrive, and bytes a second that it has to have afterwards, on average.
ARRIVAL, MINIMUM_RATE = 60.0, 8 << 10
# RFC 9112: a request line (3), a field that goes on in the next line (5.2), and white space before a value (5.1).
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ ]+(?: HTTP/[0-9]\.[0-9])?")
_FOLDED_FIELD = re.compile(rb'\n[ \t]')
_BEFORE_VALUE = re.compile(rb'^([^\s:]+:)[ \t]{2,}', re.MULTILINE)
# Contained in every path.
ANYWHERE = ('',)
log = logging.getLogger(__name__)


def serve(application: Any, timeout: float, *, upload_paths: tuple[str, ...] = ANYWHERE, **adjustments: Any) -> None:
    """Serve *application* until SIGTERM or SIGINT; a second signal has its usual effect, the end at once.

    Then no connection is accepted any more, idle ones are closed, and requests that have begun get their response.

    :param timeout: seconds for these requests
    :param upload_paths: parts of the paths that take files; bodies of all others are limited to SMALL_BODY
    :param adjustments: waitress' options

    Raises OSError if the address is in use, ValueError for bad adjustments.
    """
    sockets: dict[int, Any] = {}
    server = create_server(application, map=sockets, **adjustments)
    _Loop(server, sockets, upload_paths).run(timeout)


class _Task(WSGITask):
    """Request whose response closes the connection during a shutdown, and if the client has sent more requests.

    waitress would handle the next one while the response is not sent, and keep the thread until it is. Clients that
    pipeline send a request again that has no response (RFC 9112, 9.3.2).
    """

    def build_response_header(self) -> bytes:
        if self.channel.has_more_requests or not self.channel.server.accepting:
            self.set_close_on_finish()
        return super().build_response_header()


class _Parser(HTTPRequestParser):
    """Parser that refuses any malformed request line: waitress drops the connection at a bad authority.

    The patterns of waitress 3.0 take a time that grows with the square of the length of a request line that does not
    match, and of white space before a value. It parses in the thread of the event loop, so that all clients would wait.
    """

    def __init__(self, adj: Any, upload_paths: tuple[str, ...] = ANYWHERE) -> None:
        super().__init__(adj)
        self._upload_paths = upload_paths
        self._began = time.monotonic()

    @property
    def is_late(self) -> bool:
        """True if the request should have arrived: each byte would put off ``channel_timeout``."""
        received = self.header_bytes_received + self.body_bytes_received
        return time.monotonic() > self._began + ARRIVAL + received / MINIMUM_RATE

    def received(self, data: bytes) -> int:
        """Parse *data*. A body is in memory until it is complete, before the application can refuse it."""
        consumed: int = super().received(data)
        is_large = max(self.content_length, self.body_bytes_received) > SMALL_BODY
        if is_large and not any(path in self.path for path in self._upload_paths):
            self.error = RequestEntityTooLarge(f'exceeds {SMALL_BODY} bytes')
            self.completed, self.expect_continue = True, False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        line, end, fields = header_plus.partition(b'\r\n')
        if not _REQUEST_LINE.fullmatch(line.rstrip()):
            raise ParsingError('Start line is invalid')
        if _FOLDED_FIELD.search(header_plus):
            raise ParsingError('A header line is folded')  # RFC 9112, 5.2
        try:
            super().parse_header(line + end + _BEFORE_VALUE.sub(rb'\1 ', fields))
        except ValueError:
            raise ParsingError('Bad URI') from None


class _Buffer(OverflowableBuffer):
    """Part of a response, which stays in memory if there is no room for temporary files."""

    def _set_large_buffer(self) -> None:
        position = self.buf.getfile().tell() if self.buf is not None else 0
        try:
            super()._set_large_buffer()
        except OSError as error:
            log_temporary(error)
            self.overflow = sys.maxsize  # no other attempt
            if self.buf is None:
                self._set_small_buffer()
            else:
                self.buf.getfile().seek(position)


class _Channel(HTTPChannel):
    """Connection to a client."""

    task_class = _Task
    current_outbuf_count: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser_class = partial(_Parser, upload_paths=self.server.upload_paths)
        self.outbufs = [_Buffer(self.adj.outbuf_overflow)]

    def write_soon(self, data: Any) -> int:
        """Queue *data* for the client.

        A buffer of waitress keeps what was sent, and moves to disk only while much is left to be sent: with a client
        that keeps up, a response would be in memory up to ``outbuf_high_watermark``. Here a new buffer follows earlier.
        """
        with self.outbuf_lock:
            last = self.outbufs[-1]
            is_full = self.current_outbuf_count >= self.adj.outbuf_overflow and not last.overflowed
            if is_full or not isinstance(last, _Buffer):  # waitress appends one of its own behind a file
                self.outbufs.append(_Buffer(self.adj.outbuf_overflow))
                self.current_outbuf_count = 0
        return super().write_soon(data)

    @property
    def has_more_requests(self) -> bool:
        """True if other requests arrived together with the current one."""
        with self.requests_lock:  # the loop may still be parsing them
            return len(self.requests) > 1

    @property
    def is_stalled(self) -> bool:
        """True if the client has read nothing of the waiting response for ``channel_timeout``, or sends too slowly."""
        if not self.outbuf_lock.acquire(blocking=False):  # a thread is sending
            return False
        try:
            if self.total_outbufs_len:
                return self.last_activity < time.time() - self.adj.channel_timeout
            return not self.requests and self.request is not None and self.request.is_late
        finally:
            self.outbuf_lock.release()

    @property
    def is_idle(self) -> bool:
        """True between two requests: none has begun to arrive, and no response is left to be sent."""
        return not self.requests and self.request is None and not self.total_outbufs_len


class _Loop:
    """Event loop of a server.

    :param server: as :func:`waitress.server.create_server` returns it, for one or several addresses
    :param sockets: its listeners, triggers and connections by file descriptor
    """

    def __init__(self, server: Any, sockets: dict[int, Any], upload_paths: tuple[str, ...] = ANYWHERE) -> None:
        self._server, self._sockets = server, sockets
        self._listeners = [found for found in sockets.values() if isinstance(found, BaseWSGIServer)]
        for listener in self._listeners:
            listener.channel_class, listener.upload_paths = _Channel, upload_paths
        self._stopping = False
        self._next_cleanup = 0.0

    def run(self, timeout: float) -> None:
        """Run until a signal, then drain for *timeout* seconds at most."""
        with self._handled_signals():
            freeze()
            trimmer = Trimmer()
            # A script may wait for this line, and then stop the server at once.
            self._server.print_listen('Serving on http://{}:{}')
            while not self._stopping:
                self._poll(self._server.adj.asyncore_loop_timeout)
                self._clean_up()
                trimmer.run()
            log.info('stopping: requests that have begun are finished, for %g seconds at most', timeout)
            left = self._drain(timeout)
        if left:
            log.warning('requests cut after fsp.shutdown.timeout = %g seconds: %d', timeout, left)
        self._server.task_dispatcher.shutdown(timeout=THREADS_END)

    def _clean_up(self) -> None:
        """Close stalled connections at intervals.

        waitress leaves those whose request still has a thread, and waits until the others can be written to.
        """
        now = time.monotonic()
        if now < self._next_cleanup:
            return
        self._next_cleanup = now + self._server.adj.cleanup_interval
        for channel in self._channels():
            if channel.is_stalled:
                channel.handle_close()

    def _drain(self, timeout: float) -> int:
        """Finish the requests that have begun; return the number of those that did not end."""
        self._accept_all()
        for listener in self._listeners:
            wasyncore.dispatcher.close(listener)  # not its trigger, which wakes the loop
        end = time.monotonic() + timeout
        while channels := self._channels():
            if (left := end - time.monotonic()) <= 0:
                break
            for channel in channels:
                channel.will_close = channel.will_close or channel.is_idle
            self._poll(min(left, self._server.adj.asyncore_loop_timeout))
        return len(channels)

    def _channels(self) -> list[_Channel]:
        return [found for found in self._sockets.values() if isinstance(found, _Channel)]

    def _accept_all(self) -> None:
        """Read the requests that are in the buffers of the kernel: they have begun.

        A poll accepts one connection of each listener; the next one reads its request.
        """
        known: set[Any] = set()
        while new := set(self._sockets.values()) - known:
            known |= new
            self._poll(0)

    def _poll(self, timeout: float) -> None:
        wasyncore.loop(timeout, use_poll=self._server.adj.asyncore_use_poll, map=self._sockets, count=1)

    @contextmanager
    def _handled_signals(self) -> Iterator[None]:
        """Stop on a signal. Only the main thread can handle signals; an ignored one stays ignored, as below nohup."""
        numbers = SIGNALS if threading.current_thread() is threading.main_thread() else ()
        before = {number: handler for number in numbers if (handler := signal.getsignal(number)) != signal.SIG_IGN}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def stop(_number: int, _frame: FrameType | None) -> None:
            restore()
            self._stopping = True
            self._listeners[0].pull_trigger()

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            restore()
