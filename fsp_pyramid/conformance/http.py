"""HTTP client of the suite: requests as Beefree's server sends them, bounded in time and size."""

import base64
import http.client
import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property  # noqa: TID251 - responses of one thread; it imports nothing of the package
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from .model import Options, TransportError
from .text import clean, describe

MAX_BODY = 16 * 1024 * 1024
SAFE = {'GET', 'HEAD'}
_URL = re.compile(r'https?://\S+')
# Characters of a path that need no encoding: RFC 3986, 3.3
_UNESCAPED = "/!$&'()*,;=:@"


class Malformed:
    """Stand-in for the value of a body that is no JSON."""


MALFORMED = Malformed()


@dataclass(frozen=True)
class Reply:
    """One complete answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @cached_property
    def json(self) -> Any:
        """Return the value of the body, or MALFORMED."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return MALFORMED

    @property
    def content_type(self) -> str:
        """Return the media type without its parameters, in lower case."""
        return self.headers.get('Content-Type', '').partition(';')[0].strip().lower()

    @property
    def code(self) -> int | None:
        """Return the error code of the body, if it has one."""
        code = self.json.get('code') if isinstance(self.json, dict) else None
        return code if isinstance(code, int) and not isinstance(code, bool) else None

    @property
    def is_success(self) -> bool:
        """Tell whether the operation was done: status 2xx, and a body that does not say the opposite."""
        denied = isinstance(self.json, dict) and (self.json.get('status') in ('error', 'fail') or self.code)
        return 200 <= self.status < 300 and not denied

    @property
    def is_refusal(self) -> bool:
        """Tell whether the request was refused as the client's mistake."""
        return 400 <= self.status < 500

    @property
    def summary(self) -> str:
        """Return the status and the error of the body, or its kind. The rest of a body, and URLs, may be secret."""
        if self.code is not None:
            texts = [self.json.get(field) for field in ('message', 'details')]
            words = [clean(_URL.sub('(URL)', text), 120) for text in texts if isinstance(text, str) and text]
            return f'{self.status}, code {self.code}' + (f': {" - ".join(words)}' if words else '')
        return f'{self.status}, {self._kind}'

    @property
    def _kind(self) -> str:
        if self.json is not MALFORMED:
            return f'JSON: {describe(self.json)}'
        if not self.body:
            return 'no body'
        return f'{clean(self.content_type, 60) or "a body without Content-Type"}, {len(self.body)} bytes'


class Client:
    """Beefree's server, as the provider sees it.

    :ivar sent: how many requests were made
    :ivar silent: how many of the last requests in a row got no answer
    """

    def __init__(self, options: Options, *, trust_env: bool) -> None:
        self.base_url = options.base_url.rstrip('/')
        self.uid = options.uid
        self.sent = self.silent = 0
        self._options, self._lock = options, threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = trust_env  # proxies, but for providers on this machine
        environ = os.environ.get('REQUESTS_CA_BUNDLE') or os.environ.get('CURL_CA_BUNDLE')
        self._session.verify = options.ca_file or environ or True

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
        quoted: bool = False,
    ) -> Reply:
        """Send a request below the base URL. Raises TransportError.

        :param body: value that is sent as JSON; *raw* is sent as it is
        :param headers: more headers; None takes one away
        :param quoted: *path* is sent as it is
        """
        if self._options.read_only and method not in SAFE:
            raise AssertionError(f'{method} is not read-only')
        fields: dict[str, str | None] = {
            'Authorization': basic(self._options.username, self._options.password),
            'X-BEE-ClientId': self._options.client_id,
            'X-BEE-Uid': self.uid,
            'Accept': 'application/json',
        }
        data = raw if body is None else json.dumps(body).encode()
        if data is not None:
            fields['Content-Type'] = 'application/json'
        target = path if quoted else quote(path, safe=_UNESCAPED, errors='surrogatepass')
        sent = {name: value for name, value in (fields | dict(headers or {})).items() if value is not None}
        try:
            reply = self._request(method, self.base_url + target, sent, data)
        except TransportError:
            self.silent += 1
            raise
        self.silent = 0
        return reply

    def fetch(self, url: str, method: str = 'GET', headers: Mapping[str, str] | None = None) -> Reply:
        """Ask for a public URL, without credentials, and follow redirects. Raises TransportError."""
        return self._request(method, url, {'Accept': '*/*', **(headers or {})}, None, follow=True)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, *, follow: bool = False
    ) -> Reply:
        with self._lock:
            self.sent += 1
        began = time.monotonic()
        try:
            prepared = self._prepare(method, url, headers, data, exact=not follow)
            settings = self._session.merge_environment_settings(url, {}, True, self._session.verify, None)
            with self._session.send(
                prepared, **settings, timeout=self._options.timeout, allow_redirects=follow
            ) as answer:
                body = self._read(answer, began + 2 * self._options.timeout)
                return Reply(answer.status_code, answer.headers, body, time.monotonic() - began)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
            ValueError,
        ) as error:
            raise _translate(error, self._options.timeout) from error

    def _prepare(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, *, exact: bool
    ) -> requests.PreparedRequest:
        request = requests.Request(method, url, headers=headers, data=data, auth=_no_netrc)
        prepared = self._session.prepare_request(request)
        if exact:  # requests resolves ".." and the like
            prepared.url = url
        return prepared

    def _read(self, answer: requests.Response, end: float) -> bytes:
        body = bytearray()
        while piece := answer.raw.read1(1 << 16, decode_content=True):
            body += piece
            if len(body) > MAX_BODY:
                raise TransportError(f'the answer is larger than {MAX_BODY >> 20} MB')
            if time.monotonic() > end:
                raise TransportError(f'the answer was not complete after {2 * self._options.timeout:g} seconds')
        return bytes(body)


def basic(username: str, password: str) -> str:
    """Return the header of Basic authentication."""
    return f'Basic {base64.b64encode(f"{username}:{password}".encode()).decode()}'


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _translate(error: Exception, timeout: float) -> TransportError:
    """Return what happened in words. Those of the libraries repeat URLs, which may be secret."""
    match error:
        case requests.exceptions.SSLError():
            return TransportError('TLS failed: the certificate or the protocol is not accepted')
        case requests.exceptions.ConnectTimeout():
            return TransportError(f'no connection within {timeout:g} seconds', unreachable=True)
        case requests.Timeout() | urllib3.exceptions.TimeoutError():
            return TransportError(f'no answer within {timeout:g} seconds')
        case requests.TooManyRedirects():
            return TransportError('too many redirects')
        case requests.ConnectionError() if _refused(error):
            return TransportError('no connection: the host is unknown, or refuses connections', unreachable=True)
        case requests.RequestException() if isinstance(error, ValueError):
            return TransportError('the URL is not valid')
        case UnicodeError():
            return TransportError('a path or header cannot be encoded')
    return TransportError('the connection broke, or what came is no HTTP')


def _refused(error: BaseException) -> bool:
    reason = getattr(error.args[0], 'reason', None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)
