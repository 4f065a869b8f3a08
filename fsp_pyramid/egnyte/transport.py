"""Transport of one call: rate limit, retries, and exceptions by kind."""

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, NamedTuple, TypeVar

import requests
import urllib3

from .errors import (
    EgnyteError,
    QuotaExceeded,
    Rejected,
    Throttled,
    TimedOut,
    Unavailable,
    Unreachable,
    from_response,
)
from .provenance import MALFORMED
from .rate_limiter import Permit, RateLimiter
from .rate_rules import Priority

T = TypeVar('T')

CONNECT_TIMEOUT = 10.0
# For calls that may be repeated: a broken connection is usually an old one that the other end had closed.
TRIES = 3

BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.HTTPError,  # while the body is read
)
# Bytes that are read of an answer; the rest is not missed, or the answer counts as that of another server. A page of
# 1,000 items has less than a megabyte.
LONGEST_ANSWER, LONGEST_ERROR = 32 << 20, 100_000
BLOCK = 64 * 1024


class CallInfo(NamedTuple):
    """Figures of a call that was made, for statistics.

    :param outcome: ``ok``, or the name of the exception
    :param waited: seconds for the rate limiter
    :param seconds: seconds until Egnyte answered (of a download: until it began to)
    """

    method: str
    outcome: str
    waited: float
    seconds: float


class Part(io.RawIOBase):
    """*size* bytes of a file from *start* on. Its length keeps requests from buffering and from chunked encoding."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._left = file, start, size, size

    def __len__(self) -> int:
        return self._size

    def rewind(self) -> None:
        """Start from the beginning, before each time that it is sent: other parts read the file in between."""
        self._file.seek(self._start)
        self._left = self._size

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size - self._left

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


class Transport:
    """Calls to one domain with one token; the parameters are those of the Client.

    Reads and ``repeatable`` calls are repeated if the connection breaks, but not after a time-out: the next attempt
    would occupy the thread for as long. Other calls, which may have taken effect without an answer, end as Unreachable.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        session: requests.Session,
        rate_limiter: RateLimiter,
        timeout: float,
        max_wait: float,
        priority: Priority,
        on_call: Callable[[CallInfo], None],
        slot: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._url, self._token = url, token
        self._session, self._rate_limiter = session, rate_limiter
        self._timeout, self._wait_left = timeout, max_wait
        self._priority, self._on_call, self._slot = priority, on_call, slot

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[requests.Response], T],
        *,
        repeatable: bool = False,
        rejected: type[Rejected] = Rejected,
        headers: dict[str, str] | None = None,
        part: Part | None = None,
        **kwargs: Any,
    ) -> T:
        """Make a call within the rate limit. Repeat it if Egnyte asks to wait, or on a broken connection if allowed.

        :param read: function that turns a successful answer into the result, see :func:`understood`
        :param repeatable: whether the change may happen twice; reads always may
        :param rejected: exception for an answer that Egnyte takes the call for wrong
        :param part: the request's body
        """
        kwargs['headers'] = {**(headers or {}), 'Authorization': f'Bearer {self._token}'}

        def attempt(permit: Permit) -> T:
            return self._try(permit, method, path, read, rejected, part, kwargs)

        with self._slot():
            return self._repeat(method, attempt, TRIES if repeatable or method == 'GET' else 1)

    def _repeat(self, method: str, attempt: Callable[[Permit], T], tries: int) -> T:
        while True:
            permit = self._rate_limiter.acquire(self._token, self._wait_left, self._priority_of(method))
            self._wait_left -= permit.waited
            try:
                return self._timed(method, permit, attempt)
            except Unreachable as error:
                tries -= 1
                if not tries or isinstance(error, TimedOut):
                    raise
            except Throttled as error:
                self._rate_limiter.block(self._token, error.wait)
                # Waiting does not help against a quota of a day.
                if error.wait > self._wait_left or isinstance(error, QuotaExceeded):
                    raise

    def _priority_of(self, method: str) -> Priority:
        """Return the priority of a call: READ becomes WRITE for a call that changes something."""
        return Priority.WRITE if self._priority is Priority.READ and method != 'GET' else self._priority

    def _timed(self, method: str, permit: Permit, call: Callable[[Permit], T]) -> T:
        began, outcome = time.monotonic(), 'ok'
        try:
            return call(permit)
        except Exception as error:  # including that of a body that was cut short
            outcome = type(error).__name__
            raise
        finally:
            self._on_call(CallInfo(method, outcome, permit.waited, time.monotonic() - began))

    def _try(
        self,
        permit: Permit,
        method: str,
        path: str,
        read: Callable[[requests.Response], T],
        rejected: type[Rejected],
        part: Part | None,
        kwargs: dict[str, Any],
    ) -> T:
        headers = None
        try:
            if part is not None:
                part.rewind()
            response = send(self._session, method, self._url + path, self._timeout, data=part, **kwargs)
            headers = response.headers
        finally:
            self._rate_limiter.observe(permit, headers)
        if not succeeded(response):
            raise from_response(response, method, rejected, self._rate_limiter.time())
        return understood(response, method, read)


def send(
    session: requests.Session, method: str, url: str, timeout: float, *, stream: bool = False, **kwargs: Any
) -> requests.Response:
    """Send a request and return the answer, of any status. Its body is read, unless it is a success and a *stream*.

    :param timeout: seconds that Egnyte may stay silent; the whole body may take twice as long

    Raises Unreachable for a broken connection, TimedOut, and EgnyteError if the arguments make no valid request. The
    texts of requests' own exceptions may hold tokens and the names of customers' files, so messages name only their
    classes.
    """
    timeouts, end = (min(timeout, CONNECT_TIMEOUT), timeout), time.monotonic() + 2 * timeout
    try:
        response = session.request(method, url, timeout=timeouts, allow_redirects=False, stream=True, **kwargs)
        if not succeeded(response):
            _read(response, LONGEST_ERROR, end)
        elif not stream:
            _read(response, LONGEST_ANSWER, end)
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise TimedOut(f'{method} failed: {type(error).__name__}') from None
    except BROKEN as error:
        raise Unreachable(f'{method} failed: {type(error).__name__}') from None
    except (requests.RequestException, ValueError) as error:
        raise EgnyteError(f'{method} could not be sent: {type(error).__name__}') from None
    return response


def _read(response: requests.Response, limit: int, end: float) -> None:
    """Read the body into ``response.content``, up to *limit* bytes and until *end*, and release the connection.

    requests itself would decode any number of bytes, for as long as a byte comes now and then.
    """
    if getattr(response, '_content', False) is not False:  # the adapter has read it
        return
    body = bytearray()
    with response:
        while len(body) < limit and (block := response.raw.read1(BLOCK, decode_content=True)):
            body += block
            if time.monotonic() > end:
                raise requests.Timeout
    response._content = bytes(body[:limit])


def succeeded(response: requests.Response) -> bool:
    """Return whether the status is that of a success. We follow no redirects, so that they are failures."""
    return 200 <= response.status_code < 300


def understood(response: requests.Response, method: str, read: Callable[[requests.Response], T]) -> T:
    """Return what *read* makes of a successful answer to a *method*.

    If *read* raises one of MALFORMED, another server on the way has answered: a login page, a maintenance page. That is
    Unavailable, and Unreachable for a change, which may have taken effect nevertheless.
    """
    try:
        return read(response)
    except MALFORMED as error:
        response.close()
        kind = Unavailable if method == 'GET' else Unreachable
        # The text of the exception may hold names of customers' files.
        reason = f'the answer is no JSON object as Egnyte gives it ({type(error).__name__})'
        raise kind(reason, status=response.status_code, authentic=False) from None
