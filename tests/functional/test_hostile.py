"""Arbitrary and malformed requests: the answer is an envelope with a status and a code of the protocol."""

import json
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyramid.request import Request

from fsp_pyramid import main
from fsp_pyramid.errors import BadRequest, FSPError, Unauthorized
from fsp_pyramid.model import Identity
from fsp_pyramid.protocol.security import SecurityPolicy
from fsp_pyramid.settings import Settings

from .envelope import ask, caller, read

# PATH_INFO and headers hold arbitrary bytes, decoded as Latin-1 (PEP 3333).
BYTES = st.binary(max_size=30).map(lambda data: data.decode('latin-1'))
UNICODE = st.text(st.characters(exclude_categories=['Cs']), max_size=12).map(lambda t: t.encode().decode('latin-1'))
SYNTAX = ['/', '//', '.', '..', '@@', '%2F', '%', '\\', '\n', '\r', '\0', '\x7f', '\xff', ' ', '+', '~', ';', '*', '?']
WORDS = ['shared', 'Notes.txt', 'My pictures', 'fsp', 'fsp-public', '{}', '%(here)s', 'a' * 300, '\xed\xa0\x80']
ODD = st.sampled_from(SYNTAX) | st.sampled_from(WORDS)
PATHS = st.lists(st.one_of(ODD, UNICODE, BYTES), max_size=6).map(''.join)
HEADERS = st.one_of(BYTES, UNICODE, st.sampled_from(['', '*/*', 'text/html', '-1', 'chunked', '[', 'a' * 300]))
NAMES = [
    'HTTP_AUTHORIZATION',
    'HTTP_X_BEE_CLIENTID',
    'HTTP_X_BEE_UID',
    'HTTP_X_BEE_FSP_FLAGS',
    'HTTP_X_VHM_ROOT',
    'HTTP_X_HTTP_METHOD_OVERRIDE',
    'HTTP_X_FORWARDED_PROTO',
    'HTTP_ACCEPT',
    'HTTP_ACCEPT_LANGUAGE',
    'HTTP_COOKIE',
    'HTTP_HOST',
    'HTTP_IF_NONE_MATCH',
    'HTTP_RANGE',
    'HTTP_TRANSFER_ENCODING',
    'CONTENT_TYPE',
    'QUERY_STRING',
]
READING = ['GET', 'HEAD', 'PUT', 'OPTIONS', 'TRACE', 'get', 'PROPFIND']

often = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope='module')
def application(tmp_path_factory: pytest.TempPathFactory, seeded: Path) -> Any:
    """Return one application for all examples: they only read, or are refused."""
    directory = tmp_path_factory.mktemp('hostile') / 'egnyte'
    shutil.copytree(seeded, directory)
    values = {
        'fsp.username': 'beefree',
        'fsp.password': 'beefree',
        'fsp.egnyte.url': f'sandbox:{directory}',
        'fsp.folders': '/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand ro',
    }
    return main({}, **values)


def answer(application: Any, path: str, method: str = 'GET', **environ: Any) -> tuple[int, int | None]:
    """Return status and code; the answer to a HEAD has no body, so no code."""
    response = ask(application, path, method, **environ)
    if method == 'HEAD':
        assert response.content_type == 'application/json'
        assert not response.body
        return response.status_int, None
    return read(response)


@often
@given(path=PATHS, method=st.sampled_from(READING))
@example(path='\n', method='GET')
@example(path='a\xff', method='HEAD')
def test_any_path_yields_an_envelope(application: Any, path: str, method: str) -> None:
    status, _ = answer(application, f'/fsp/{path}', method)
    assert status in ({200, 400, 404} if method in {'GET', 'HEAD'} else {400, 405})


@often
@given(path=PATHS, method=st.sampled_from(['POST', 'DELETE', 'PATCH']))
def test_any_write_in_read_only_folder_is_refused(application: Any, path: str, method: str) -> None:
    body = json.dumps({'source': 'http://192.0.2.1/', 'new_path': '/'}).encode()
    environ = {'wsgi.input': _Body(body), 'CONTENT_LENGTH': str(len(body)), 'CONTENT_TYPE': 'application/json'}
    status, _ = answer(application, f'/fsp/shared/{path}', method, **environ)
    assert status in {400, 403, 404, 405}


@often
@given(path=PATHS, method=st.sampled_from([*READING, 'POST', 'DELETE', 'PATCH']))
def test_any_path_with_wrong_credentials_is_refused(application: Any, path: str, method: str) -> None:
    status, _ = answer(application, f'/fsp/{path}', method, HTTP_AUTHORIZATION='Basic b3RoZXI6b3RoZXI=')
    assert status in {400, 401}  # 400 for an invalid path, which is checked first


@often
@given(environ=st.dictionaries(st.sampled_from(NAMES), HEADERS, min_size=1, max_size=4))
@example(environ={'HTTP_HOST': '['})
@example(environ={'HTTP_HOST': ''})
@example(environ={'QUERY_STRING': '%FF=%FF&\xff'})
@example(environ={'HTTP_X_BEE_UID': 'ſ'.encode().decode('latin-1')})
def test_any_headers_yield_an_envelope(application: Any, environ: dict[str, str]) -> None:
    for path in ('/fsp/', '/fsp/Notes.txt', '/fsp/nothing'):
        status, _ = answer(application, path, **environ)
        assert status in {200, 400, 401, 404}


ANY_TEXT = st.text(st.characters(), max_size=12)  # with lone surrogates, which JSON can express
JSON = st.recursive(st.none() | st.booleans() | st.floats() | ANY_TEXT, lambda inner: st.lists(inner, max_size=3))
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        'source': st.one_of(
            JSON, st.sampled_from(['http://[', 'http://', 'http://\ud800/', 'http://127.0.0.1:99999/'])
        ),
        'new_path': st.one_of(JSON, PATHS.map('/{}/'.format), ANY_TEXT.map('/{}/'.format)),
        'conflict_strategy': st.one_of(JSON, st.sampled_from(['keep', 'replace', 'ask'])),
    },
)


@often
@given(
    body=st.one_of(st.binary(max_size=50), st.one_of(JSON, FIELDS).map(lambda value: json.dumps(value).encode())),
    content_type=st.one_of(st.just('application/json'), st.just('text/plain; charset=utf-16'), BYTES),
    method=st.sampled_from(['POST', 'PATCH']),
)
@example(body=b'[' * 10_000, content_type='application/json', method='POST')
@example(body=b'{"new_path": "/\\ud800/"}', content_type='application/json', method='PATCH')
def test_any_body_yields_an_envelope(application: Any, body: bytes, content_type: str, method: str) -> None:
    environ = {'wsgi.input': _Body(body), 'CONTENT_LENGTH': str(len(body)), 'CONTENT_TYPE': content_type}
    status, _ = answer(application, '/fsp/Welcome.jpg', method, **environ)
    assert status in {200, 400, 403, 404, 409, 422}


@pytest.mark.parametrize('length', ['', '-1', 'abc', '٣'])
def test_invalid_content_length_is_a_bad_request(application: Any, length: str) -> None:
    environ = {'wsgi.input': _Body(b'{}'), 'CONTENT_LENGTH': length.encode().decode('latin-1')}
    assert answer(application, '/fsp/a.png', 'POST', **environ) == (400, 3500)


CLIENTS = Settings.parse(
    {'fsp.username': 'beefree', 'fsp.password': 'beefree', 'fsp.egnyte.url': 'sandbox:nowhere'}, {}
).clients


def policy_says(**environ: str) -> tuple[Identity | None, Identity | FSPError]:
    request = Request.blank('/', headers=caller())
    request.environ.update(environ)
    policy = SecurityPolicy(CLIENTS)
    identity = policy.identity(request)
    assert policy.authenticated_userid(request) == (identity and f'{identity.client_id}/{identity.uid}')
    assert bool(policy.permits(request, None, 'fsp.read')) == (identity is not None)
    assert not policy.permits(request, None, 'edit')
    return identity, policy.verdict(request)


@often
@given(
    st.one_of(
        BYTES,
        BYTES.map('Basic {}'.format),
        st.builds(lambda data, scheme: f'{scheme} {b64encode(data).decode()}', st.binary(), st.text('BASICbasic ')),
        st.builds(lambda name, word: f'Basic {b64encode(f"{name}:{word}".encode()).decode()}', UNICODE, UNICODE),
    )
)
@example('')
@example('Basic')
@example('Basic Og==')
@example('Basic \xe9')
@example('Basic ' + b64encode(b'beefree:beefree\0').decode())
@example('Basic ' + b64encode(b'BEEFREE:beefree').decode())
@example('Bearer ' + b64encode(b'beefree:beefree').decode())
def test_policy_rejects_any_unknown_authorization(authorization: str) -> None:
    identity, verdict = policy_says(HTTP_AUTHORIZATION=authorization)
    assert identity is None
    assert isinstance(verdict, Unauthorized)
    assert verdict.headers['WWW-Authenticate'].startswith('Basic ')


@pytest.mark.parametrize('scheme', ['Basic', 'basic', 'BASIC'])
def test_policy_accepts_scheme_in_any_case(scheme: str) -> None:
    identity, _ = policy_says(HTTP_AUTHORIZATION=caller()['Authorization'].replace('Basic', scheme))
    assert identity == Identity('', 'shop', 'demo')


@often
@given(header=st.sampled_from(['X-BEE-ClientId', 'X-BEE-Uid']), value=st.one_of(BYTES, UNICODE, st.just('a' * 201)))
@example(header='X-BEE-Uid', value='a\n')
@example(header='X-BEE-Uid', value='')
@example(header='X-BEE-Uid', value='a, b')
@example(header='X-BEE-ClientId', value='../x')
def test_policy_names_the_invalid_header(header: str, value: str) -> None:
    identity, verdict = policy_says(**{f'HTTP_{header.replace("-", "_").upper()}': value})
    right = value.isascii() and value.replace('-', '_').replace('_', 'a').isalnum() and len(value) <= 200
    assert (identity is not None) == right
    if not right:
        assert isinstance(verdict, BadRequest)
        assert header in str(verdict)


@pytest.mark.parametrize('uid', ['a', 'A-_9', 'a' * 200])
def test_valid_uids_are_accepted(uid: str) -> None:
    assert policy_says(HTTP_X_BEE_UID=uid)[0] == Identity('', 'shop', uid)


class _Body:
    """Request body as servers provide it: not seekable."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        size = len(self._data) if size < 0 else size
        data, self._data = self._data[:size], self._data[size:]
        return data
