from pathlib import Path

import pytest

from fsp_pyramid.scripts.fetch import main
from fsp_pyramid.sources import Allowances, SourceError, download
from fsp_pyramid.sources.deadline import Deadline
from fsp_pyramid.sources.explain import explain, explain_hop
from fsp_pyramid.sources.transport import Answer, Target

from ..timing import PATIENCE
from .servers import ok, redirect, serving


@pytest.fixture
def ini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an ini file with invalid settings, which this command ignores."""
    monkeypatch.delenv('FSP_SOURCES_ALLOW', raising=False)
    path = tmp_path / 'site.ini'
    path.write_text('[app:main]\nuse = egg:fsp-pyramid\nfsp.sources.allow =\n    127.0.0.1:8080\n    10.0.0.0/8\n')
    return str(path)


def test_it_names_the_rule_that_allows(ini: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([ini, '--explain', 'http://127.0.0.1:8080/a?sig=SECRET']) == 0
    assert capsys.readouterr().out.splitlines() == [
        'http, host 127.0.0.1, port 8080',
        '  GET /a?sig=SECRET HTTP/1.1',
        '  127.0.0.1  allowed: fsp.sources.allow has 127.0.0.1:8080',
        'allowed: it would be fetched, from the first of these that answers',
    ]


def test_it_names_the_rule_that_refuses_and_the_remedy(ini: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([ini, '--explain', 'http://[64:ff9b::7f00:1]:8080/']) == 1
    assert capsys.readouterr().out.splitlines() == [
        'http, host 64:ff9b::7f00:1, port 8080',
        '  GET / HTTP/1.1',
        '  64:ff9b::7f00:1  refused: IPv4 by NAT64, loopback (127.0.0.0/8, RFC 1122)',
        'refused: every address of a host has to be allowed',
        'to allow it, and nothing else, add this to fsp.sources.allow: [64:ff9b::7f00:1]:8080',
    ]


@pytest.mark.parametrize(
    ('url', 'end'),
    [
        ('http://10.9.8.7:22/', 'allowed: it would be fetched'),
        ('http://127.0.0.1/', '127.0.0.1:80'),
        ('http://1.1.1.1:8080/', '1.1.1.1:8080'),
        ('ftp://127.0.0.1/', 'must begin with http:// or https://.'),
        ('http://nowhere.invalid/', 'no address'),
    ],
)
def test_other_verdicts(ini: str, url: str, end: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([ini, '--explain', url]) == (0 if end.startswith('allowed') else 1)
    assert end in capsys.readouterr().out.splitlines()[-1]


def test_every_address_of_a_name_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Answer(2, (address, 443)) for address in ('1.1.1.1', '127.0.0.1', '1.1.1.1')]
    monkeypatch.setattr('fsp_pyramid.sources.explain.resolve', lambda target, deadline: answers)
    allowed, lines = explain('https://mixed.test/', Allowances())
    assert not allowed
    assert lines[2:4] == [
        '  1.1.1.1    allowed: an address of the internet',
        '  127.0.0.1  refused: loopback (127.0.0.0/8, RFC 1122)',
    ]


def test_environment_wins(ini: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv('FSP_SOURCES_ALLOW', '[::1]:* localhost:9')
    assert main([ini, '--explain', 'http://[::1]:7/']) == 0
    assert main([ini, '--explain', 'http://127.0.0.1:8080/']) == 1
    capsys.readouterr()
    monkeypatch.setenv('FSP_SOURCES_ALLOW', 'http://localhost/')
    assert main([ini, '--explain', 'http://127.0.0.1:8080/']) == 1
    output = capsys.readouterr()
    assert not output.out
    assert output.err.startswith('fsp.sources.allow: "http://localhost/" is no host')


def test_missing_ini_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'none.ini'
    assert main([str(path), '--explain', 'http://127.0.0.1/']) == 1
    assert capsys.readouterr().err == f'There is no file {path}.\n'


def test_named_remedy_works() -> None:
    with serving(ok(b'x')) as server:
        url = f'http://localhost:{server.port}/'
        allowed, lines = explain(url, Allowances())
        assert not allowed
        with pytest.raises(SourceError), download(url, max_size=10, timeout=PATIENCE, allow=Allowances()):
            pass
        allow = Allowances.parse([lines[-1].rpartition(' ')[2]])
        assert explain(url, allow)[0]
        with download(url, max_size=10, timeout=PATIENCE, allow=allow) as source:
            assert source.size == 1


def test_request_line_is_shown() -> None:
    with serving(ok(b'x')) as server:
        url, allow = f'http://127.0.0.1:{server.port}/%c3%a9 ü%?sig=%2f', Allowances.parse(['127.0.0.1'])
        line = explain(url, allow)[1][1].strip()
        with download(url, max_size=10, timeout=5, allow=allow):
            pass
    assert line == 'GET /%c3%a9%20%C3%BC%?sig=%2f HTTP/1.1'
    assert server.requests[0].startswith(f'{line}\r\n'.encode())


def test_no_request_is_sent_without_connect() -> None:
    with serving(redirect('/b%2f'), ok(b'x', 'Content-Type: image/png', 'Content-Encoding: UTF-8')) as server:
        url, allow = f'http://127.0.0.1:{server.port}/', Allowances.parse(['127.0.0.1'])
        assert explain(url, allow)[0]
        assert not server.requests
        allowed, lines = explain(url, allow, connect=True)
    assert allowed
    assert lines == [
        f'http, host 127.0.0.1, port {server.port}',
        '  GET / HTTP/1.1',
        '  127.0.0.1  allowed: fsp.sources.allow has 127.0.0.1',
        '  status 302, a redirect:',
        f'http, host 127.0.0.1, port {server.port}',
        '  GET /b%2f HTTP/1.1',
        '  127.0.0.1  allowed: fsp.sources.allow has 127.0.0.1',
        '  status 200',
        '  Content-Encoding: UTF-8 is ignored, as it names no compression',
        'allowed: it would be fetched: 1 bytes of image/png, as its server says',
    ]


@pytest.mark.parametrize(
    'host', ['169.254.169.254', '[fd00:ec2::254]', '100.100.100.200', '168.63.129.16', '[::ffff:169.254.169.254]']
)
def test_no_way_to_allow_the_credentials_of_a_machine_is_shown(host: str) -> None:
    allowed, lines = explain(f'http://{host}/latest/meta-data/', Allowances())
    assert not allowed
    assert lines[-1] == 'do not allow it: clouds hand out the credentials of a machine at such addresses'


@pytest.mark.parametrize(
    ('answer', 'end'),
    [
        (ok(b'x', 'Content-Encoding: gzip'), 'the body is compressed (gzip), though that was not asked for'),
        (b'HTTP/1.1 404 No\r\n\r\n', 'status 404'),
        (redirect('http://1.1.1.1:22/'), 'add this to fsp.sources.allow: 1.1.1.1:22'),
        (redirect('ftp://1.1.1.1/'), 'bad redirect: The address of the file must begin with http:// or https://.'),
        (redirect('/again'), 'more than 3 redirects'),
    ],
)
def test_refused_answers_are_explained(answer: bytes, end: str) -> None:
    with serving(answer) as server:
        allowed, lines = explain(f'http://127.0.0.1:{server.port}/', Allowances.parse(['127.0.0.1']), connect=True)
    assert not allowed
    assert lines[-1].endswith(end)


def test_redirect_from_https_to_http_is_named() -> None:
    target = Target.parse('https://1.1.1.1/').follow('http://1.1.1.1/a')
    with Deadline(5) as deadline:
        allowed, lines = explain_hop(target, Allowances(), deadline)
    assert not allowed
    assert lines == [
        'http, host 1.1.1.1, port 80, by a redirect from https',
        '  GET /a HTTP/1.1',
        '  1.1.1.1  refused: a redirect from https to http, to what fsp.sources.allow does not name',
        'refused: every address of a host has to be allowed',
        'to allow it, and nothing else, add this to fsp.sources.allow: 1.1.1.1:80',
    ]
