import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsp_pyramid.sources import Allowances, SourceError, SourceUnavailable, download, transport
from fsp_pyramid.sources.address_policy import SPECIAL, Special
from fsp_pyramid.sources.deadline import Deadline
from fsp_pyramid.sources.transport import Answer, Target, connect

from ..timing import PATIENCE
from .servers import (
    Reaction,
    dribbling,
    ok,
    redirect,
    serving,
    silent,
)

Names = dict[str, list[list[str]]]


def fetch(url: str, *allow: str, timeout: float = PATIENCE) -> bytes:
    with download(url, max_size=1000, timeout=timeout, allow=Allowances.parse(allow)) as source:
        return b''.join(source.chunks())


def refusal(url: str, *allow: str, timeout: float = PATIENCE) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        fetch(url, *allow, timeout=timeout)
    return caught.value.reason


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Replace the resolver: addresses of a name for each look-up in turn; other names go to the real one."""
    answers: Names = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *, type: socket.SocketKind) -> list[tuple[object, ...]]:  # noqa: A002 - its name
        found = answers[host].pop(0) if host in answers else [host]
        return [entry for address in found for entry in real(address, port, type=type)]

    monkeypatch.setattr(socket, 'getaddrinfo', getaddrinfo)
    return answers


@pytest.fixture
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(self: socket.socket, address: object) -> None:
        pytest.fail(f'connected to {address}')

    monkeypatch.setattr(transport.socket.socket, 'connect', connect)


# Names


def test_connection_goes_to_the_checked_address(names: Names) -> None:
    names['files.test'] = [['127.0.0.1'], ['169.254.169.254']]
    with serving(ok(b'x')) as server:
        assert fetch(f'http://files.test:{server.port}/', '127.0.0.1') == b'x'
    assert b'Host: files.test:' in server.requests[0]
    assert names['files.test'] == [['169.254.169.254']]  # looked up once


def test_name_is_resolved_for_each_redirect(names: Names) -> None:
    names['files.test'] = [['127.0.0.1'], ['169.254.169.254']]
    with serving(redirect('/again')) as server:
        assert 'link-local' in refusal(f'http://files.test:{server.port}/', '127.0.0.1')
    assert len(server.requests) == 1


@pytest.mark.usefixtures('_no_connection')
@pytest.mark.parametrize(
    'answers',
    [
        ['1.1.1.1', '127.0.0.1'],
        ['127.0.0.1', '1.1.1.1'],
        ['1.1.1.1', '2606:4700::1111', '::ffff:10.0.0.1'],
        ['1.1.1.1', '10.0.0.1'],
    ],
)
def test_one_bad_address_among_good_ones_refuses_the_name(names: Names, answers: list[str]) -> None:
    names['mixed.test'] = [answers]
    assert 'is refused' in refusal('http://mixed.test/', '10.0.0.2')


def test_next_address_is_tried_when_one_fails(names: Names) -> None:
    names['files.test'] = [['127.0.0.2', '127.0.0.1']]
    with serving(ok(b'x')) as server:
        assert fetch(f'http://files.test:{server.port}/', '127.0.0.0/8') == b'x'


def test_unsupported_address_family_is_skipped() -> None:
    with serving(ok(b'x')) as server, Deadline(5) as deadline:
        answers = [
            Answer(cast(socket.AddressFamily, 9999), ('::1', 80)),
            Answer(socket.AF_INET, ('127.0.0.1', server.port)),
        ]
        with connect(answers, deadline) as connection:
            assert connection.getpeername() == ('127.0.0.1', server.port)


def test_address_that_drops_packets_leaves_time_for_the_next(names: Names) -> None:
    names['files.test'] = [['127.0.0.2', '127.0.0.1']]
    with serving(ok(b'x')) as server, ExitStack() as opened:
        try:
            full = opened.enter_context(socket.create_server(('127.0.0.2', server.port), backlog=0))
        except OSError:
            pytest.skip('has one loopback address only')
        for _ in range(3):  # nobody accepts them: the queue is full then, and the kernel ignores who comes next
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        assert fetch(f'http://files.test:{server.port}/', '127.0.0.0/8', timeout=10) == b'x'


def test_allowed_host_may_have_any_address(names: Names) -> None:
    names['files.test'] = [['127.0.0.1']] * 2
    with serving(ok(b'x')) as server:
        assert fetch(f'http://Files.Test.:{server.port}/', f'files.test:{server.port}') == b'x'
        assert 'loopback' in refusal(f'http://files.test:{server.port}/', 'files.test:80')


def test_hanging_look_up_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    left_behind = threading.Event()

    def getaddrinfo(*args: object, **options: object) -> list[object]:
        left_behind.wait(PATIENCE)
        return []

    monkeypatch.setattr(socket, 'getaddrinfo', getaddrinfo)
    assert 'look-up took too long' in refusal('http://slow.test/', timeout=0.2)
    left_behind.set()


@pytest.mark.parametrize('host', ['nowhere.invalid', 'a' * 64 + '.com', 'a..b', '.', '...', '256.256.256.256'])
def test_unresolvable_hosts_are_unavailable(host: str) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(f'http://{host}/')
    assert 'address' in caught.value.reason


# Spellings


def v4_spellings() -> st.SearchStrategy[str]:
    """Return an address of 127.0.0.0/8 as inet_aton() reads it: one to four parts, decimal, octal or hexadecimal."""

    def spell(address: int, parts: int, bases: list[str]) -> str:
        numbers = [address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255][: parts - 1]
        numbers.append(address & (1 << (8 * (5 - parts))) - 1)
        return '.'.join(base.format(number) for base, number in zip(bases, numbers, strict=False))

    bases = st.lists(st.sampled_from(['{}', '0{:o}', '000{:o}', '0x{:x}', '0X{:08X}']), min_size=4, max_size=4)
    return st.builds(spell, st.integers(127 << 24, (128 << 24) - 1), st.integers(1, 4), bases)


def v6_spellings() -> st.SearchStrategy[str]:
    """Return an IPv6 address that embeds one of 127.0.0.0/8, or ::1, in some spelling."""
    prefixes = st.sampled_from(['::', '::ffff:0:0', '::ffff:0:0:0', '64:ff9b::', '64:ff9b:1::'])
    v4 = st.integers(127 << 24, (128 << 24) - 1)
    held = st.builds(lambda prefix, low: IPv6Address(int(IPv6Address(prefix)) | low), prefixes, v4)
    to4 = st.builds(lambda low: IPv6Address(0x2002 << 112 | low << 80), v4)
    address = held | to4 | st.just(IPv6Address('::1'))
    dotted = st.builds(lambda low: f'::ffff:{IPv4Address(low)}', v4)
    return st.builds('[{}]'.format, address.map(str) | address.map(lambda a: a.exploded.upper()) | dotted)


@pytest.mark.usefixtures('_no_connection')
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(v4_spellings() | v6_spellings(), st.sampled_from(['', '.']), st.sampled_from(['', ':80', ':443', ':8080']))
@example('127.1', '', '')
@example('0177.0.0.1', '', '')
@example('0x7f000001', '', '')
@example('2130706433', '', '')
@example('017700000001', '.', '')
@example('[::ffff:7f00:1]', '', '')
@example('0', '', '')
@example('[::]', '', '')
@example('localhost', '.', '')
@example('%31%32%37.0.0.1', '', '')
@example('１２７.0.0.1', '', '')
@example('127。0。0。1', '', '')
def test_no_spelling_of_loopback_gets_through(host: str, dot: str, port: str) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(f'http://{host}{"" if host.startswith("[") else dot}{port}/')
    # Only urllib3 2.8 and later decode a host.
    assert isinstance(caught.value, SourceUnavailable) or not host.isascii() or '%' in host


@pytest.mark.usefixtures('_no_connection')
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SPECIAL), st.integers(0, 2**128))
def test_no_special_address_gets_through(special: Special, offset: int) -> None:
    network = special.network
    address = network[offset % network.num_addresses]
    assert 'is refused' in refusal(f'http://[{address}]/' if address.version == 6 else f'http://{address}/')


@pytest.mark.usefixtures('_no_connection')
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(), max_size=30) | st.text('ht:/@[]%\\#?. 127\t\r\n0x', max_size=30))
def test_any_text_is_parsed_or_refused_as_invalid(text: str) -> None:
    for url in (text, f'http://{text}', f'http://127.0.0.1{text}'):
        try:
            target = Target.parse(url)
        except SourceError:
            continue
        assert target.scheme in ('http', 'https')
        assert target.host
        assert target.path.startswith('/')
        assert target.path.isascii()
        assert target.path.isprintable()


@pytest.mark.parametrize(
    ('url', 'host', 'path'),
    [
        ('http://1.1.1.1\\@10.0.0.1/', '1.1.1.1', '/\\@10.0.0.1/'),
        ('http://1.1.1.1/@10.0.0.1', '1.1.1.1', '/@10.0.0.1'),
        ('http://1.1.1.1?@10.0.0.1/', '1.1.1.1', '/?@10.0.0.1/'),
        ('http://1.1.1.1#@10.0.0.1/', '1.1.1.1', '/'),
        ('http://Bücher.example./a', 'xn--bcher-kva.example', '/a'),
        ('HTTP://EXAMPLE.COM:80//10.0.0.1/', 'example.com', '//10.0.0.1/'),
        ('http://1.1.1.1//user@10.0.0.1/', '1.1.1.1', '//user@10.0.0.1/'),
        ('http://1.1.1.1/http://10.0.0.1/', '1.1.1.1', '/http://10.0.0.1/'),
    ],
)
def test_path_begins_where_the_host_of_the_guard_ends(url: str, host: str, path: str) -> None:
    target = Target.parse(url)
    assert (target.host, target.path) == (host, path)


@pytest.mark.parametrize(
    'url',
    [
        'http://1.1.1.1\t/',
        'http://1.1.1.1\n.example.com/',
        '\thttp://1.1.1.1/',
        'ht\ntp://1.1.1.1/',
        'http:/1.1.1.1/',
        'http:\\\\1.1.1.1/',
        'http:///1.1.1.1/',
        'http://[fe80::1%25eth0]/',
        'http://[fe80::1%eth0]/',
        'http://a@b@c/',
    ],
)
def test_no_host_is_guessed(url: str) -> None:
    with pytest.raises(SourceError):
        Target.parse(url)


@given(st.text('ab:/@?#\\[]%. \t', max_size=12))
def test_redirect_that_names_no_host_stays_at_its_host(location: str) -> None:
    try:
        target = Target.parse('http://files.test/a').follow(location)
    except SourceError:
        return
    assert target.host == 'files.test' or location.startswith('//')


@given(st.text(max_size=30))
def test_any_redirect_is_parsed_or_refused_as_invalid(location: str) -> None:
    try:
        Target.parse('http://files.test/a').follow(location)
    except SourceError:
        return


@pytest.mark.usefixtures('_no_connection')
@pytest.mark.parametrize('port', [0, 1, 22, 25, 6379, 8080, 65535])
def test_other_ports_are_refused(port: int) -> None:
    assert f'port {port}' in refusal(f'http://1.1.1.1:{port}/')


# TLS


@pytest.fixture(scope='module')
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which('openssl')
    if openssl is None:
        pytest.skip('needs the openssl command to make a certificate')
    path = tmp_path_factory.mktemp('tls') / 'files.test.pem'
    command = f'{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=files.test'
    names = [
        '-addext',
        'subjectAltName=DNS:files.test,IP:127.0.0.1',
        '-addext',
        'keyUsage=digitalSignature,keyCertSign',
    ]
    subprocess.run([*command.split(), *names, '-keyout', path, '-out', f'{path}.crt'], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f'{path}.crt').read_bytes())
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def _trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv('SSL_CERT_FILE', str(certificate))
    transport._tls.cache_clear()
    yield
    transport._tls.cache_clear()


@pytest.mark.usefixtures('_trusted')
def test_certificate_is_checked_by_the_name_in_the_address(names: Names, tls: ssl.SSLContext) -> None:
    names['files.test'] = names['other.test'] = [['127.0.0.1'], ['127.0.0.1']]
    asked: list[str | None] = []
    tls.sni_callback = lambda wrapped, name, context: asked.append(name)
    with serving(ok(b'x'), tls=tls) as server:
        assert fetch(f'https://files.test:{server.port}/', '127.0.0.1') == b'x'
        assert 'CERTIFICATE_VERIFY_FAILED' in refusal(f'https://other.test:{server.port}/', '127.0.0.1')
        assert fetch(f'https://127.0.0.1:{server.port}/', '127.0.0.1') == b'x'
    assert asked == ['files.test', 'other.test', None]


def test_self_signed_certificate_is_refused(names: Names, tls: ssl.SSLContext) -> None:
    names['files.test'] = [['127.0.0.1']]
    with serving(ok(b'x'), tls=tls) as server:
        assert 'CERTIFICATE_VERIFY_FAILED' in refusal(f'https://files.test:{server.port}/', '127.0.0.1')


@pytest.mark.usefixtures('_trusted')
def test_redirect_from_https_to_http_has_to_be_allowed(names: Names, tls: ssl.SSLContext) -> None:
    names['files.test'] = [['127.0.0.1']] * 9
    with serving(ok(b'plain')) as plain, serving(redirect(f'http://files.test:{plain.port}/a'), tls=tls) as first:
        start = f'https://files.test:{first.port}/'
        allowed = f'files.test:{plain.port}'
        assert fetch(start, f'files.test:{first.port}', allowed) == b'plain'
        assert fetch(start, '*') == b'plain'
        asked = len(plain.requests)
        reason = refusal(start, f'files.test:{first.port}')
        assert 'from https to http' in reason
        assert len(plain.requests) == asked


@pytest.mark.usefixtures('_trusted')
def test_redirect_from_https_stays_one_in_later_redirects_to_http(names: Names, tls: ssl.SSLContext) -> None:
    """The policy would allow the last address: it is refused for the way there alone."""
    names['files.test'] = [['127.0.0.1']] * 9
    names['last.test'] = [['1.1.1.1']] * 9
    with (
        serving(redirect('/again'), redirect('http://last.test/a')) as plain,
        serving(redirect(f'http://files.test:{plain.port}/a'), tls=tls) as first,
    ):
        start = f'https://files.test:{first.port}/'
        reason = refusal(start, f'files.test:{first.port}', f'files.test:{plain.port}')
        assert 'http://last.test:80 at 1.1.1.1 is refused: a redirect from https to http' in reason
    assert len(plain.requests) == 2


@pytest.mark.parametrize(
    ('hops', 'downgraded'),
    [
        (['https://a/', 'http://b/'], True),
        (['https://a/', 'http://b/', '/c'], True),
        (['https://a/', 'http://b/', 'http://c/', '//d/'], True),
        (['https://a/', 'http://b/', 'https://c/'], False),
        (['https://a/', 'http://b/', 'https://c/', 'http://d/'], True),
        (['http://a/', 'http://b/'], False),
        (['http://a/', 'https://b/', '/c'], False),
    ],
)
def test_targets_record_redirects_from_https(hops: list[str], downgraded: bool) -> None:
    first, *others = hops
    target = Target.parse(first)
    for location in others:
        target = target.follow(location)
    assert target.downgraded is downgraded


@pytest.mark.usefixtures('_trusted')
def test_redirects_to_https_and_within_a_scheme_are_followed(tls: ssl.SSLContext) -> None:
    with (
        serving(redirect('/b'), ok(b'x'), tls=tls) as safe,
        serving(redirect('/a'), redirect(f'https://127.0.0.1:{safe.port}/')) as plain,
    ):
        assert fetch(f'http://127.0.0.1:{plain.port}/', f'127.0.0.1:{plain.port}', f'127.0.0.1:{safe.port}') == b'x'


@pytest.mark.usefixtures('_trusted')
@pytest.mark.parametrize(
    'answer',
    [
        silent,
        dribbling(b'HTTP/1.1 200 OK\r\nX: ', b'y'),
        dribbling(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n', b'x'),
    ],
    ids=['silent', 'header', 'body'],
)
def test_deadline_holds_inside_tls(answer: Reaction, tls: ssl.SSLContext) -> None:
    with serving(answer, tls=tls) as server:
        # Repeated with more time if the handshake took it all; the answer itself takes PATIENCE seconds.
        for seconds in (0.4, 2, 10, PATIENCE / 2):
            reason = refusal(f'https://127.0.0.1:{server.port}/', '127.0.0.1', timeout=seconds)
            assert f'took longer than {seconds:g} seconds' in reason
            if server.requests and server.requests[-1]:
                break
    assert server.requests[-1].startswith(b'GET / ')


@pytest.mark.usefixtures('_trusted')
def test_truncated_tls_body_is_an_error(tls: ssl.SSLContext) -> None:
    with serving(ok(b'hel', 'Content-Length: 5'), tls=tls) as server:
        assert '5 bytes were announced, 3 came' in refusal(f'https://127.0.0.1:{server.port}/', '127.0.0.1')


def test_ipv6() -> None:
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('needs IPv6')
    with serving(ok(b'x'), host='::1') as server:
        assert fetch(f'http://[::1]:{server.port}/', '[::1]:*') == b'x'
    assert b'Host: [::1]:' in server.requests[0]
