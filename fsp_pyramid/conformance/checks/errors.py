"""Errors: status, shape and code of refusals."""

import re

from ..context import Context
from ..model import require
from ..registry import Group
from ..text import clean, describe

group = Group('errors', needs='errors.json')
PAGE, STATUS, AUTH = 'Error codes', 'Status codes', 'Authentication'
_TRACE = re.compile(rb'Traceback \(most|\.(js|ts|py|java|rb|php|go|cs):\d+|at [\w.$<>]+ ?\(|Stack trace', re.IGNORECASE)


@group.must('status', 'A file that does not exist is not found', '404', STATUS, needs='listing.root')
def status(context: Context) -> None:
    require(context.missing.status == 404, context.missing.summary)


@group.must('json', 'An error is a JSON object', 'a JSON object', PAGE, needs='errors.status')
def json(context: Context) -> None:
    require(isinstance(context.missing.json, dict), context.missing.summary)


@group.must('content-type', 'An error says that it is JSON', 'Content-Type: application/json', PAGE)
def content_type(context: Context) -> None:
    kind = context.missing.content_type
    require(kind == 'application/json', clean(kind) or 'no Content-Type')


@group.must('code', 'An error has a code', 'an integer', PAGE)
def code(context: Context) -> None:
    require(context.missing.code is not None, describe(context.missing.json.get('code')))


@group.should('code-3200', 'The code says that there is no such file', 'code 3200', PAGE, needs='errors.code')
def code_3200(context: Context) -> None:
    require(context.missing.code == 3200, describe(context.missing.code))


@group.must('message', 'An error has a message', 'text', PAGE)
def message(context: Context) -> None:
    value = context.missing.json.get('message')
    require(isinstance(value, str) and value, describe(value))


@group.should('details', 'An error has details', 'text', PAGE)
def details(context: Context) -> None:
    value = context.missing.json.get('details')
    require(isinstance(value, str) and value, describe(value))


@group.may(
    'status-field', 'An error says so as JSend does', '"status": "error" or "fail"', 'Getting Started: data formats'
)
def status_field(context: Context) -> None:
    value = context.missing.json.get('status')
    require(value in ('error', 'fail'), describe(value))


@group.should('trace', 'Errors show nothing of the inside', 'no stack trace', 'CWE-209', needs='listing.root')
def trace(context: Context) -> None:
    require(not _TRACE.search(context.missing.body), 'a stack trace')


@group.must(
    'secrets',
    'Errors do not repeat the password',
    'no password',
    'CWE-209',
    needs='listing.root errors.status authentication.wrong-password',
)
def secrets(context: Context) -> None:
    password = context.options.password.encode()
    require(not password or password not in context.denied.body + context.missing.body, 'the password')


@group.should('no-uid', 'A request without X-BEE-Uid is refused', '4xx', AUTH, needs='listing.root', cost=1)
def no_uid(context: Context) -> None:
    reply = context.get('/', headers={'X-BEE-Uid': None})
    require(reply.is_refusal, reply.summary)


@group.may('no-client-id', 'A request without X-BEE-ClientId is refused', '4xx', AUTH, needs='listing.root', cost=1)
def no_client_id(context: Context) -> None:
    reply = context.get('/', headers={'X-BEE-ClientId': None})
    require(reply.is_refusal, reply.summary)


@group.must('strange-uid', 'A uid that looks like a path leads nowhere', '4xx', AUTH, needs='listing.root', cost=1)
def strange_uid(context: Context) -> None:
    reply = context.get('/', headers={'X-BEE-Uid': '../..'})
    require(reply.is_refusal, reply.summary)


@group.should(
    'method',
    'A method that is none of the protocol is refused',
    '405',
    'RFC 9110, 15.5.6',
    needs='directories.create',
    changes=True,
)
def method(context: Context) -> None:
    require(context.put.status == 405, context.put.summary)


@group.may(
    'method-allow', 'The refusal names the methods', 'Allow', 'RFC 9110, 15.5.6', needs='errors.method', changes=True
)
def method_allow(context: Context) -> None:
    require('GET' in context.put.headers.get('Allow', '').upper(), 'no Allow')


@group.should(
    'bad-request-code',
    'A body that is no JSON has its error code',
    '400, code 3500',
    PAGE,
    needs='upload.no-json',
    changes=True,
    cost=2,
)
def bad_request_code(context: Context) -> None:
    reply = context.post(f'{context.scratch}none.png', raw=b'nothing')
    require((reply.status, reply.code) == (400, 3500), reply.summary)
