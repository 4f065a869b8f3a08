"""Calls to Egnyte whose answers are looked at as they are: status, headers and body."""

from typing import Any

import requests

from .. import embedded
from ..egnyte import Priority, QuotaExceeded, RateLimiter, Throttled, new_session
from ..egnyte.errors import from_response
from ..egnyte.transport import send, succeeded


class Caller:
    """Calls to one Egnyte with one token, within the rate limiter of the application.

    :param url: of Egnyte, or ``sandbox:DIRECTORY``
    :param timeout: seconds that Egnyte may stay silent
    :param max_wait: seconds that one call may wait for the rate limiter
    :ivar count: calls that were made
    :ivar refusals: answers to calls that were too many
    """

    def __init__(self, url: str, token: str, rate_limiter: RateLimiter, timeout: float, max_wait: float) -> None:
        self.url, self.token = url, token
        self._rate_limiter, self._timeout, self._max_wait = rate_limiter, timeout, max_wait
        self._session = new_session()
        directory = url.removeprefix(embedded.PREFIX) if url.startswith(embedded.PREFIX) else ''
        if directory:
            embedded.mount_sandbox(self._session, directory)
            self.url, self.token = embedded.URL, token or embedded.TOKEN
        self.count = 0
        self.refusals: list[requests.Response] = []

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, token: str = '', **kwargs: Any
    ) -> requests.Response:
        """Make a call and return the answer, of any status. It is repeated once if Egnyte had too many in a second.

        :param token: another one than that of the caller, for a call that is to be refused

        Raises Unreachable for a broken connection, Throttled and QuotaExceeded if the rate limiter has no slot in time.
        """
        headers = (headers or {}) | {'Authorization': f'Bearer {token or self.token}'}
        response = self._call(method, path, not token, headers=headers, **kwargs)
        if not succeeded(response):
            error = from_response(response, method)
            if isinstance(error, Throttled):
                self.refusals.append(response)
            if isinstance(error, Throttled) and not isinstance(error, QuotaExceeded):
                self._rate_limiter.block(self.token, error.wait)
                return self._call(method, path, not token, headers=headers, **kwargs)
        return response

    def _call(self, method: str, path: str, is_own: bool, **kwargs: Any) -> requests.Response:
        permit = self._rate_limiter.acquire(self.token, self._max_wait, Priority.READ)
        self.count += 1
        answered = None
        try:
            response = send(self._session, method, self.url + path, self._timeout, **kwargs)
            answered = response.headers if is_own else None
        finally:
            self._rate_limiter.observe(permit, answered)
        return response
