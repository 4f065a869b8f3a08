"""Contract: answers of the application agree with the OpenAPI document, for each operation, status and error code."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import transaction
import yaml
from jsonschema import Draft202012Validator
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.response.exceptions import ResponseValidationError
from openapi_spec_validator import validate
from webtest import TestResponse

from fsp_pyramid import errors, ops
from fsp_pyramid.interfaces import IBackends, IPublic
from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..conftest import Source
from ..imaging.pictures import picture
from .beefree import PNG, Beefree
from .test_accounts import application, connect, egnyte, more_settings, store

__all__ = ['application', 'connect', 'egnyte', 'more_settings', 'store']

DOCUMENT = yaml.safe_load((Path(ops.__file__).parent / 'static' / 'openapi.yaml').read_text())
OPENAPI = OpenAPI.from_dict(DOCUMENT)
HOST = 'http://localhost:6543'
HOME = '/Shared/Beefree/u1'
OPERATIONS = {
    operation['operationId']: operation
    for item in DOCUMENT['paths'].values()
    for method, operation in item.items()
    if method in {'get', 'post', 'patch', 'delete'}
}


class World:
    """A user with files, the Egnyte below them, and a server of sources."""

    def __init__(self, client: Beefree, sandbox: Sandbox, source: Source, other: Callable[..., Beefree]) -> None:
        self.client, self.sandbox, self.other = client, sandbox, other
        self.url = source.offer
        for path in ('a.png', 'c.png', 'd/a.png'):
            sandbox.upload(f'{HOME}/{path}', PNG)
        for path in ('empty', 'd/c.png'):
            sandbox.api('POST', f'/pubapi/v1/fs{HOME}/{path}', json={'action': 'add_folder'}).raise_for_status()

    def failing(self, status: int) -> Beefree:
        """Let calls to Egnyte fail."""
        self.sandbox.fail({'status': status, 'times': 1000, 'path_prefix': '/pubapi'})
        return self.client

    def with_wrong_uid(self) -> Beefree:
        self.client.headers['X-BEE-Uid'] = 'no good'
        return self.client

    def with_wrong_password(self) -> Beefree:
        self.client.app.authorization = ('Basic', ('beefree', 'wrong'))
        return self.client

    def out_of_calls(self) -> Beefree:
        limiter = self.client.app.app.registry.getUtility(IBackends).rate_limiter
        quota = {'X-Accesstoken-Quota-Allotted': '1000', 'X-Accesstoken-Quota-Current': '950'}
        limiter.observe(limiter.acquire('sandbox', 10), quota)
        return self.client

    def locked(self) -> Beefree:
        """Let another user of Egnyte lock a file."""
        editor = {'users': ['alice'], 'permission': 'Editor'}
        self.sandbox.api('POST', f'/pubapi/v1/perms/folder{HOME}', json=editor).raise_for_status()
        lock, alice = {'action': 'lock'}, {'X-Egnyte-Act-As': 'alice'}
        self.sandbox.api('POST', f'/pubapi/v1/fs{HOME}/a.png', json=lock, headers=alice).raise_for_status()
        return self.client

    def busy(self) -> Beefree:
        self.failing(429)
        return self.other(egnyte__max_wait='0')

    def public(self, which: str = 'public-url', **headers: str) -> TestResponse:
        """Request a public URL of a picture that was uploaded; keywords are headers."""
        meta = self.client.upload('/p.png', self.url(picture())).json['data']['meta']
        settle()
        return self.client.public(meta[which], headers={name.replace('_', '-'): headers[name] for name in headers})

    def unseen(self) -> str:
        """Return the public URL of a file whose content is not stored here."""
        return self.client.get('/a.png').json['data']['meta']['public-url']

    def without_bodies(self, which: str) -> TestResponse:
        """Request a public URL while all bodies that may be sent are being sent."""
        bodies = self.client.app.app.registry.getUtility(IPublic).bodies
        while bodies.acquire(blocking=False):
            pass
        return self.public(which)


@pytest.fixture
def world(client: Beefree, sandbox: Sandbox, source: Source, make_app: Callable[..., Any]) -> World:
    return World(client, sandbox, source, lambda **settings: Beefree(make_app(**settings)))


Action = Callable[[World, Beefree], TestResponse]
Case = Callable[[World], TestResponse]
# A request of each operation, by any client.
ACTIONS: dict[str, Action] = {
    'listRoot': lambda world, client: client.get('/'),
    'listDirectory': lambda world, client: client.get('/d/', X_BEE_fsp_flags='move'),
    'createDirectory': lambda world, client: client.create('/new/'),
    'deleteDirectory': lambda world, client: client.delete('/empty/'),
    'getFile': lambda world, client: client.get('/a.png'),
    'uploadFile': lambda world, client: client.upload('/new.png', world.url(PNG), 'keep'),
    'moveFile': lambda world, client: client.move('/a.png', '/empty/', 'ask'),
    'deleteFile': lambda world, client: client.delete('/a.png'),
}
SUCCESS = {'createDirectory': 201, 'uploadFile': 201}
CLIENTS: dict[tuple[int, int], Callable[[World], Beefree]] = {
    (400, 3500): World.with_wrong_uid,
    (401, 3650): World.with_wrong_password,
    (403, 3300): lambda world: world.failing(403),
    (503, 3100): lambda world: world.failing(503),
}


def case(action: Action, client: Callable[[World], Beefree]) -> Case:
    return lambda world: action(world, client(world))


# By operation, status and code.
CASES: dict[tuple[str, int, int | None], Case] = {
    **{(name, SUCCESS.get(name, 200), None): case(ACTIONS[name], lambda world: world.client) for name in ACTIONS},
    **{(name, *result): case(ACTIONS[name], CLIENTS[result]) for name in ACTIONS for result in CLIENTS},
    ('createDirectory', 400, 3905): lambda world: world.client.create('/a*/'),
    ('createDirectory', 403, 3400): lambda world: world.client.create('/d/'),
    ('deleteDirectory', 403, 3908): lambda world: world.client.delete('/d/'),
    ('deleteFile', 403, 3909): lambda world: world.locked().delete('/a.png'),
    ('listDirectory', 404, 3200): lambda world: world.client.get('/none/'),
    ('deleteDirectory', 404, 3200): lambda world: world.client.delete('/none/'),
    ('getFile', 404, 3200): lambda world: world.client.get('/none'),
    ('moveFile', 404, 3200): lambda world: world.client.move('/none', '/d/'),
    ('deleteFile', 404, 3200): lambda world: world.client.delete('/none'),
    ('uploadFile', 409, 3400): lambda world: world.client.upload('/a.png', world.url(PNG), 'ask'),
    ('uploadFile', 409, 3401): lambda world: world.client.upload('/empty', world.url(PNG), 'replace'),
    ('moveFile', 409, 3400): lambda world: world.client.move('/a.png', '/d/', ''),
    ('moveFile', 409, 3401): lambda world: world.client.move('/c.png', '/d/', 'replace'),
    ('uploadFile', 422, 3450): lambda world: world.client.upload('/new.png', world.url(b'')),
    ('uploadFile', 422, 3906): lambda world: world.other(upload__max_size='50 B').upload('/b.png', world.url(PNG)),
    ('uploadFile', 422, 3907): lambda world: world.client.upload('/b.png', world.url(b'<!doctype html><p>')),
    ('listRoot', 503, 3001): lambda world: world.failing(401).get('/'),
    ('listRoot', 503, 3903): lambda world: world.out_of_calls().get('/'),
    ('listRoot', 503, 3904): lambda world: world.busy().get('/'),
    ('getPublicFile', 200, None): lambda world: world.public(),
    ('getPublicFile', 206, None): lambda world: world.public(Range='bytes=0-9'),
    ('getPublicFile', 304, None): lambda world: world.public(If_None_Match='*'),
    ('getPublicFile', 404, None): lambda world: world.client.public('/fsp-public/none/a.png'),
    ('getPublicFile', 416, None): lambda world: world.public(Range='bytes=999999-'),
    ('getPublicFile', 503, None): lambda world: (url := world.unseen()) and world.failing(500).public(url),
    ('getThumbnail', 200, None): lambda world: world.public('thumbnail'),
    ('getThumbnail', 206, None): lambda world: world.public('thumbnail', Range='bytes=0-9'),
    ('getThumbnail', 304, None): lambda world: world.public('thumbnail', If_None_Match='*'),
    ('getThumbnail', 404, None): lambda world: world.client.public('/fsp-public/none/0123456789ab/a.png'),
    ('getThumbnail', 416, None): lambda world: world.public('thumbnail', Range='bytes=999999-'),
    ('getThumbnail', 503, None): lambda world: world.without_bodies('thumbnail'),
}
# In tests of their own: they need accounts.
WITH_ACCOUNTS = {('listRoot', 403, 3901), ('listDirectory', 403, 3902), ('getPublicFile', 403, None)}


def resolved(response: dict[str, str]) -> dict[str, Any]:
    return DOCUMENT['components']['responses'][response['$ref'].rpartition('/')[2]]


def examples(response: dict[str, Any]) -> set[tuple[int, str]]:
    """Return code and message of each documented error."""
    shown = response['content']['application/json'].get('examples', {}).values()
    return {(example['value']['code'], example['value']['message']) for example in shown}


def operation_of(request: MockRequest) -> dict[str, Any]:
    for template, item in DOCUMENT['paths'].items():
        operation = item.get(request.method, {})
        (server,) = operation.get('servers', DOCUMENT['servers'])
        url = re.escape(server['url']) + re.sub(r'\{\w+\}', '[^/]+', template)
        if operation and re.fullmatch(url, HOST + request.path):
            return operation
    raise AssertionError(f'{request.path} is not documented')


def check(answer: TestResponse, operation: str, status: int, code: int | None) -> None:
    """Compare an exchange with the document. The answer to an invalid request is an error."""
    sent = answer.request
    request = MockRequest(HOST, sent.method, quote(sent.path_info), headers=dict(sent.headers), data=sent.body)
    if answer.status_int < 400:
        OPENAPI.validate_request(request)
    headers = dict(answer.headers)
    OPENAPI.validate_response(request, MockResponse(answer.body, answer.status_int, headers, answer.content_type))
    documented = operation_of(request)
    assert (documented['operationId'], answer.status_int) == (operation, status)
    if code is not None:
        assert answer.json['code'] == code
        assert (code, answer.json['message']) in examples(resolved(documented['responses'][str(status)]))


@pytest.mark.parametrize(('operation', 'status', 'code'), CASES)
def test_answer_is_as_documented(world: World, operation: str, status: int, code: int | None) -> None:
    check(CASES[operation, status, code](world), operation, status, code)


def test_answers_without_an_account_are_as_documented(
    application: Any, connect: Callable[..., Any], store: Callable[[], Any], sandbox: Sandbox
) -> None:
    client = Beefree(application)
    check(client.get('/'), 'listRoot', 403, 3901)
    connection = connect('u1', 'alice')
    sandbox.upload('/Private/alice/Beefree/a.png', PNG)
    url = client.get('/a.png').json['data']['meta']['public-url']
    tokens = store().find('fsp', 'client', 'u1').tokens
    secret = {'token': tokens.access, 'client_secret': 'sandbox-secret'}
    sandbox.api('POST', '/pubapi/v1/tokens/revoke', token=tokens.access, data=secret).raise_for_status()
    check(client.get('/empty/'), 'listDirectory', 403, 3902)
    store().disconnect(connection.number)
    transaction.commit()
    check(client.public(url), 'getPublicFile', 403, None)


def test_other_method_is_answered_as_documented(client: Beefree) -> None:
    answer, documented = client.request('PUT', '/a.png'), DOCUMENT['components']['responses']['MethodNotAllowed']
    assert answer.status_int == 405
    Draft202012Validator(DOCUMENT['components']['schemas']['Error']).validate(answer.json)
    assert (answer.json['code'], answer.json['message']) in examples(documented)
    assert set(documented['headers']) <= set(answer.headers)


def test_each_documented_answer_is_tested() -> None:
    documented = {(name, int(status)) for name, each in OPERATIONS.items() for status in each['responses']}
    assert {(name, status) for name, status, _ in {*CASES, *WITH_ACCOUNTS}} == documented
    codes = {(status, code) for _, status, code in {*CASES, *WITH_ACCOUNTS} if code}
    assert codes | {(405, 3500)} == {(kind.status, kind.code) for kind in errors.FSPError.__subclasses__()}


def test_examples_of_errors_are_complete_and_valid() -> None:
    shown = {
        (int(status), *error)
        for each in OPERATIONS.values()
        for status, response in each['responses'].items()
        if int(status) >= 400 and each['tags'] != ['Public files']
        for error in examples(resolved(response))
    }
    shown |= {(405, *error) for error in examples(DOCUMENT['components']['responses']['MethodNotAllowed'])}
    assert shown == {(kind.status, kind.code, kind.title) for kind in errors.FSPError.__subclasses__()}
    schema = Draft202012Validator(DOCUMENT['components']['schemas']['Error'])
    for response in DOCUMENT['components']['responses'].values():
        for example in response.get('content', {}).get('application/json', {}).get('examples', {}).values():
            schema.validate(example['value'])


def test_document_is_valid() -> None:
    validate(DOCUMENT)


def test_differences_are_found(world: World) -> None:
    answer = world.client.get('/a.png')
    body = answer.json
    for change in ({'size': '5'}, {'thumbnail': None}, {'more': 1}, {'path': '/a.png/'}):
        meta = body['data']['meta'] | change
        answer.body = json.dumps({'status': 'success', 'data': {'meta': meta}}).encode()
        with pytest.raises(ResponseValidationError):
            check(answer, 'getFile', 200, None)
    picture_answer = world.public()
    del picture_answer.headers['ETag']
    with pytest.raises(ResponseValidationError):
        check(picture_answer, 'getPublicFile', 200, None)
