"""Embedded sandbox: turns ``sandbox:DIR`` into a transport for the Egnyte client. No other module imports the sandbox.

The sandbox runs in this process: no socket, no second server to start, and no deadlock with a server of few threads.
"""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

PREFIX = 'sandbox:'
URL = 'http://sandbox'
TOKEN = 'sandbox'  # noqa: S105 - the sandbox's own, no secret


def mount_sandbox(session: requests.Session, directory: str) -> None:
    """Route calls of *session* to :data:`URL` to a sandbox in *directory*, which its first call seeds. No I/O."""
    from .sandbox import make_app  # a service with a real Egnyte needs none of it

    session.mount(URL, WSGIAdapter(make_app(directory, seed=True)))


class WSGIAdapter(BaseAdapter):
    """Adapter that sends requests to a WSGI application. Bodies are streamed in both directions."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        super().__init__()
        self._application = application

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        """Answer *request*. Timeouts, proxies and certificates have no effect.

        Raises ConnectionError if the application's answer ends before its announced length, and any exception of
        reading the request's body: the application sees a client that disconnected.
        """
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_exc_info: Any) -> Callable[..., Any]:
            started[:] = [(status, headers)]
            return io.BytesIO().write

        sent = _Sent(request.body)
        body = _Answer(self._application(_environ(request, sent), start_response))
        if sent.failure is not None:
            body.close()
            raise sent.failure
        status, headers = started[0]
        length = dict(headers).get('Content-Length')
        if length is not None and request.method != 'HEAD':
            body.missing = int(length)
        code, _, reason = status.partition(' ')
        return self._response(request, body, int(code), reason, headers)

    @staticmethod
    def _response(
        request: requests.PreparedRequest, body: '_Answer', code: int, reason: str, headers: list[tuple[str, str]]
    ) -> requests.Response:
        response = requests.Response()
        response.status_code, response.reason, response.url = code, reason, request.url or ''
        response.headers.update(headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.request = request
        response.raw = HTTPResponse(
            body, headers=HTTPHeaderDict(headers), status=code, reason=reason, preload_content=False
        )
        return response

    def close(self) -> None:
        """Do nothing: the adapter has no connections."""


def _environ(request: requests.PreparedRequest, body: '_Sent') -> dict[str, Any]:
    url = urlsplit(request.url or '')
    environ: dict[str, Any] = {
        'REQUEST_METHOD': request.method,
        'SCRIPT_NAME': '',
        'PATH_INFO': unquote_to_bytes(url.path).decode('latin-1'),
        'QUERY_STRING': url.query,
        'SERVER_NAME': url.hostname,
        'SERVER_PORT': str(url.port or 80),
        'SERVER_PROTOCOL': 'HTTP/1.1',
        'HTTP_HOST': url.netloc,
        'wsgi.version': (1, 0),
        'wsgi.url_scheme': url.scheme,
        'wsgi.input': io.BufferedReader(body),
        'wsgi.errors': io.StringIO(),
        'wsgi.multithread': True,
        'wsgi.multiprocess': True,
        'wsgi.run_once': False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace('-', '_')
        environ[key if key in {'CONTENT_TYPE', 'CONTENT_LENGTH'} else f'HTTP_{key}'] = _header_text(value)
    if request.body is not None and 'CONTENT_LENGTH' not in environ:
        environ['wsgi.input_terminated'] = True  # to be read until its end, as with a chunked body
    return environ


def _header_text(value: str | bytes) -> str:
    return value.decode('latin-1') if isinstance(value, bytes) else value


class _Iterated(io.RawIOBase):
    """Iterator of bytes as a file."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        super().__init__()
        self._parts, self._rest = iter(parts), b''

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        data, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


class _Sent(io.RawIOBase):
    """Body of a request, of any type that requests accepts, as a file.

    *failure* is the exception of reading it; None without one.
    """

    failure: Exception | None = None

    def __init__(self, body: Any) -> None:
        super().__init__()
        content = body.encode() if isinstance(body, str) else body or b''
        if isinstance(content, bytes):
            content = io.BytesIO(content)
        self._body = content if hasattr(content, 'read') else _Iterated(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._body.read(len(buffer))
        except Exception as error:
            self.failure = error
            raise ConnectionResetError('the client went away') from error
        buffer[: len(data)] = data
        return len(data)


class _Answer(_Iterated):
    """Answer of the application as a file. Closing it closes the iterable of the application.

    *missing* counts down from the announced length; None without one.
    """

    missing: int | None = None

    def __init__(self, parts: Iterable[bytes]) -> None:
        super().__init__(parts)
        self._close_parts = getattr(parts, 'close', None)
        # An application may call start_response as late as with its first part.
        self._rest = next(self._parts, b'')

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer)
        if self.missing is not None:
            self.missing -= size
            if not size and self.missing > 0 and len(buffer):
                raise requests.ConnectionError('the answer was cut short')
        return size

    def read1(self, size: int = -1) -> bytes:
        return self.read(size)

    def close(self) -> None:
        if not self.closed and self._close_parts is not None:
            self._close_parts()
        super().close()
