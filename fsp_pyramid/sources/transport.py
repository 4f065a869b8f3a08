"""SSRF-safe GET: resolve once, check every address, connect to a checked address.

Built on ``http.client``, because it reads neither proxies from the environment nor passwords from ``~/.netrc``, follows
no redirects, and has a public hook for a connection of our own: ``HTTPConnection.connect``.
"""

import io
import queue
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from email.message import Message
from functools import cache, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Any, Self

from requests.certs import where  # type: ignore[attr-defined]  # missing in its stubs
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ..errors import excerpt
from ..i18n import _
from ..interim_responses import FinalResponse
from .address_policy import Address, Allowances
from .deadline import Deadline
from .errors import SourceInvalid, SourceRefused, SourceUnavailable
from .minimum_rate import MinimumRate

_DEFAULT_PORTS = {'http': 80, 'https': 443}
METHOD = 'GET'
# Bytes of headers, and of the framing of a small body.
MAX_OVERHEAD = 1 << 20
_HEADERS = {
    'User-Agent': 'fsp-pyramid',
    'Accept': '*/*',
    # A small compressed body can be a huge file.
    'Accept-Encoding': 'identity',
    'Connection': 'close',
}


@dataclass(frozen=True)
class Target:
    """Parsed URL of a request. It is parsed only here: a second parser could see another host in it.

    :param host: in lower case, without brackets and the dot of the root
    :param path: with the query, unchanged, because signatures hold for one spelling. Only characters that are invalid
        in a request line are encoded
    :param downgraded: whether redirects led from https to this http URL, directly or by other http URLs
    """

    scheme: str
    host: str
    port: int
    path: str
    downgraded: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse *url*. Raises SourceInvalid unless it is a plain http or https URL."""
        try:
            parts = parse_url(url)
        except (LocationParseError, UnicodeError) as error:
            raise SourceInvalid(
                _('source-invalid', 'The address of the file is not a web address.'), type(error).__name__
            ) from None
        if parts.scheme not in _DEFAULT_PORTS:
            raise SourceInvalid(_('source-scheme', 'The address of the file must begin with http:// or https://.'))
        if '@' in re.split(r'[/?#\\]', url.partition('//')[2], maxsplit=1)[0]:
            raise SourceInvalid(
                _('source-password', 'The address of the file must not hold a user name or a password.')
            )
        host = (parts.host or '').strip('[]').removesuffix('.')
        # urllib3 before 2.8 leaves white space in hosts.
        if not host or re.search(r'[\s%]', host):
            raise SourceInvalid(_('source-no-host', 'The address of the file names no host.'))
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, host, port, _sendable(url))

    def follow(self, location: str) -> Self:
        """Return the target of a redirect from this one (RFC 3986, section 5.2). Raises SourceInvalid."""
        reference = _letters(location)
        if reference.startswith('//'):
            reference = f'{self.scheme}:{reference}'
        elif not re.match(r'[A-Za-z][A-Za-z0-9+.-]*:', reference):
            reference = f'{self.scheme}://{self._authority(self.host)}{_merged(self.path, reference)}'
        target = self.parse(reference)
        return replace(target, downgraded=target.scheme == 'http' and (self.scheme == 'https' or self.downgraded))

    @property
    def request_line(self) -> str:
        """Request line."""
        return f'{METHOD} {self.path} HTTP/1.1'

    @property
    def origin(self) -> str:
        """Scheme, host and port for the log: the rest of the URL may be secret. A long host is cut."""
        return f'{self.scheme}://{self._authority(excerpt(self.host))}'

    def _authority(self, host: str) -> str:
        return f'[{host}]:{self.port}' if ':' in host else f'{host}:{self.port}'


def _sendable(url: str) -> str:
    """Return path and query of *url* for a request line; they begin after the authority, as in urllib3."""
    _, _, rest = url.partition('://')
    path = re.sub(r'^[^\\/?#]*', '', rest).partition('#')[0]
    # Not "%": it may begin an escape, and a stray one is left to the server.
    return re.sub('[^!-~]', _escaped, path if path.startswith('/') else f'/{path}')


def _escaped(character: re.Match[str]) -> str:
    return ''.join(f'%{byte:02X}' for byte in character[0].encode('utf-8', 'surrogatepass'))


def _letters(header: str) -> str:
    """Return the text of a header, which http.client decodes as Latin-1: it is UTF-8, or bytes that are no text."""
    sent = header.encode('latin-1', 'replace')
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return re.sub('[^\0-~]', lambda found: f'%{ord(found[0]):02X}', header)


def _merged(base: str, reference: str) -> str:
    """Return path and query of a relative reference, unchanged except for the dots of a relative path."""
    reference = reference.partition('#')[0]
    if reference.startswith('/'):
        return reference
    base_path = base.partition('?')[0]
    if not reference:
        return base
    path, mark, query = reference.partition('?')
    if not path:
        return base_path + mark + query
    return _without_dots(base_path.rpartition('/')[0] + '/' + path) + mark + query


def _without_dots(path: str) -> str:
    segments: list[str] = []
    *directories, last = path.split('/')[1:]
    for name in directories:
        if name == '..':
            del segments[-1:]
        elif name != '.':
            segments.append(name)
    if last == '..':
        del segments[-1:]
    return '/'.join(['', *segments, '' if last in {'.', '..'} else last])


@dataclass(frozen=True)
class Answer:
    """Address of a host with the arguments to connect to it."""

    family: socket.AddressFamily
    sockaddr: tuple[Any, ...]

    @property
    def address(self) -> Address:
        """Address without its port."""
        return ip_address(self.sockaddr[0])


def resolve(target: Target, deadline: Deadline) -> list[Answer]:
    """Return all addresses of the target's host, in the resolver's order. Raises SourceUnavailable if there is none."""
    answers: queue.SimpleQueue[list[Answer] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put([Answer(family, sockaddr) for family, _, _, _, sockaddr in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # A look-up cannot be cancelled: its thread may outlive this call, and ends when the resolver times out.
    threading.Thread(target=look_up, name='fsp-resolve', daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise SourceUnavailable(f'{excerpt(target.host)}: the look-up took too long') from None
    if isinstance(answer, Exception):
        raise SourceUnavailable(f'{excerpt(target.host)}: no address ({excerpt(str(answer))})')
    return answer


def check(target: Target, answers: list[Answer], allow: Allowances) -> None:
    """Check all addresses. Raises SourceRefused if any is refused: the other addresses of that name are not trusted."""
    for answer in answers:
        verdict = allow.judge(target.host, answer.address, target.port, downgraded=target.downgraded)
        if not verdict.allowed:
            raise SourceRefused(f'{target.origin} at {answer.address} is refused: {verdict.rule}')


def connect(answers: list[Answer], deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that accepts one. Raises OSError if none does."""
    failure = OSError('no address')
    for tried, answer in enumerate(answers):
        # An address that drops packets must leave time for the next one.
        timeout = deadline.left() / (len(answers) - tried)
        try:
            return _connect(answer, timeout)
        except OSError as error:
            failure = error
    raise failure


def _connect(answer: Answer, timeout: float) -> socket.socket:
    with ExitStack() as on_failure:
        # Also fails if the kernel has no IPv6 although the resolver returned such an address.
        connection = on_failure.enter_context(socket.socket(answer.family, socket.SOCK_STREAM))
        connection.settimeout(timeout)
        connection.connect(answer.sockaddr)
        on_failure.pop_all()
        return connection


@cache
def _tls() -> ssl.SSLContext:
    # The machine's certificates (SSL_CERT_FILE names a company's own), and Mozilla's list, as some machines have none.
    context = ssl.create_default_context()
    context.load_verify_locations(where())
    return context


class _Wire(io.RawIOBase):
    """Bytes of a connection: each read counts for the minimum rate, and their number is limited."""

    def __init__(self, raw: io.RawIOBase, rate: MinimumRate, most: int) -> None:
        self._raw, self._rate, self._most, self._left = raw, rate, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        # The limit of the file's size does not hold for trailers and for the extensions of chunks.
        if self._left < 0:
            raise HTTPException(f'more than {self._most} bytes with headers and framing')
        size = self._raw.readinto(buffer)
        if size:
            self._rate.add(size)
            self._left -= size
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(FinalResponse):
    """Response at a minimum rate, with a limited number of bytes.

    It knows the spellings of a chunked body: http.client takes ``identity, chunked`` for one that is not chunked.
    """

    fp: io.BufferedReader

    def __init__(self, *args: Any, rate: MinimumRate, most: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rate = rate
        self.fp = io.BufferedReader(_Wire(self.fp.detach(), rate, most))

    def begin(self) -> None:
        super().begin()
        if not self.chunked and transfer_codings(self.headers) == ['chunked']:
            self.chunked, self.chunk_left, self.length, self.will_close = True, None, None, True

    def _read_status(self) -> tuple[str, int, str]:
        if self.interim:
            self._rate.pause()
            self.fp.peek(1)  # waits for a byte; it may have come together with the interim response
            self._rate.add(0)
        return super()._read_status()


class _CheckedConnection(HTTPConnection):
    """Connection to one of the checked addresses; its certificate is checked against the host name."""

    def __init__(self, target: Target, answers: list[Answer], deadline: Deadline, rate: MinimumRate, most: int) -> None:
        super().__init__(target.host, target.port)
        self.response_class = partial(_Response, rate=rate, most=most)  # type: ignore[assignment]  # a factory
        self.default_port = _DEFAULT_PORTS[target.scheme]  # left out of the Host header
        self._target, self._answers, self._deadline = target, answers, deadline

    def connect(self) -> None:
        self.sock = connect(self._answers, self._deadline)
        self.sock.settimeout(self._deadline.left())
        self._deadline.watch(self.sock)
        if self._target.scheme == 'https':
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self._target.host)


class Reply:
    """Answer of a server: the headers, and the body as a stream.

    :ivar rate: minimum rate of the response
    """

    def __init__(self, response: HTTPResponse, target: Target, deadline: Deadline, rate: MinimumRate) -> None:
        self.status, self.headers, self.chunked, self.rate = response.status, response.headers, response.chunked, rate
        self._response, self._target, self._deadline = response, target, deadline

    def values(self, name: str) -> list[str]:
        """Return the values of a header, which may be a list and may be repeated."""
        return _values(self.headers, name)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        """Yield the body in chunks of at most *size* bytes. Raises SourceUnavailable if it is cut short or too slow."""
        while True:
            with _connection_errors(self._target, self._deadline):
                # Not read(), which waits for *size* bytes.
                chunk = self._response.read1(size)
            if not chunk:
                return
            yield chunk


def _values(headers: Message, name: str) -> list[str]:
    return [value.strip().lower() for line in headers.get_all(name, []) for value in line.split(',')]


def transfer_codings(headers: Message) -> list[str]:
    """Return the codings in ``Transfer-Encoding``, without "identity", which changes nothing."""
    return [name for name in _values(headers, 'Transfer-Encoding') if name not in ('', 'identity')]


@contextmanager
def get(target: Target, allow: Allowances, deadline: Deadline, max_size: int = 0) -> Iterator[Reply]:
    """GET the target. Raises SourceRefused for a refused address, SourceUnavailable without an answer.

    :param max_size: of the body, in bytes; 0 if only the headers are read
    """
    answers = resolve(target, deadline)
    check(target, answers, allow)
    # The framing of chunks of a few bytes is as large as their content.
    most = 2 * max_size + MAX_OVERHEAD
    with ExitStack() as opened:
        rate = opened.enter_context(MinimumRate(deadline))
        connection = opened.enter_context(closing(_CheckedConnection(target, answers, deadline, rate, most)))
        with _connection_errors(target, deadline):
            connection.request(METHOD, target.path, headers=_HEADERS)
            response = opened.enter_context(connection.getresponse())
        yield Reply(response, target, deadline, rate)


@contextmanager
def _connection_errors(target: Target, deadline: Deadline) -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        deadline.left()  # the better explanation, if it has expired
        raise SourceUnavailable(f'{target.origin}: {excerpt(repr(error))}') from error
    deadline.left()
