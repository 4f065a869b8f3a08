"""Connection to a sandbox whose calls and answers a test can drop, change or record, and shared helpers."""

import io
import json
from typing import Any

import requests
from requests import PreparedRequest, Response
from urllib3 import HTTPResponse

from fsp_pyramid import egnyte
from fsp_pyramid.egnyte import Client, RateLimiter
from fsp_pyramid.embedded import URL, WSGIAdapter
from fsp_pyramid.testing import Sandbox, content


def answer(request: PreparedRequest, status: int, body: Any = b'', **headers: str) -> Response:
    """Return a made-up answer. Underscores in names of headers stand for hyphens."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response()
    response.status_code, response.reason, response.url = status, 'Reason', request.url
    response.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
    response.request, response.raw = request, HTTPResponse(io.BytesIO(text), preload_content=False)
    return response


class Hooked(WSGIAdapter):
    """Adapter that calls *before*, which may answer instead of the sandbox, and *after*, which may replace the answer.

    Tests replace both. Requests are recorded in *sent*, as pairs of the request and
    the options of requests.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox.application)
        self.sent: list[tuple[PreparedRequest, dict[str, Any]]] = []
        sandbox.session.mount(URL, self)

    def before(self, _request: PreparedRequest) -> Response | None:
        return None

    def after(self, _request: PreparedRequest, response: Response) -> Response:
        return response

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        self.sent.append((request, options))
        instead = self.before(request)  # errors are false
        return self.after(request, super().send(request, **options)) if instead is None else instead

    def lose(self, *numbers: int, of: str = '') -> None:
        """Cut the connection after these calls, counted from 1, whose URL holds *of*, took effect."""
        seen = 0

        def after(request: PreparedRequest, response: Response) -> Response:
            nonlocal seen
            seen += of in request.url
            if of in request.url and seen in numbers:
                response.close()
                raise requests.ConnectionError('cut')
            return response

        self.after = after

    def replace(self, status: int, body: Any = b'', *, method: str = 'POST') -> None:
        """Let the next call of *method* take effect, and answer something else."""

        def after(request: PreparedRequest, response: Response) -> Response:
            if request.method != method:
                return response
            del self.after
            response.close()
            return answer(request, status, body)

        self.after = after


class Paced(RateLimiter):
    """Return a rate limiter that records waits instead of waiting."""

    def __init__(self) -> None:
        self.now, self.waits = 1_700_000_000.0, []
        super().__init__(clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


LARGE = bytes(range(250)) * 10


def upload(client: Client, path: str, data: bytes) -> egnyte.Stored:
    return client.upload(path, content(data))


def read(client: Client, file_id: str) -> bytes:
    download = client.download(file_id)
    try:
        return b''.join(download)
    finally:
        download.close()
