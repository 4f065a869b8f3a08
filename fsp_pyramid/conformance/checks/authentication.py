"""Authentication: Basic, and nothing without it."""

from ..context import Context
from ..http import Reply, basic
from ..model import require
from ..registry import Group
from ..text import describe

group = Group('authentication', needs='listing.root')
PAGE = 'Authentication'
STATUS = 'Status codes'


def _unauthorized(reply: Reply) -> None:
    require(reply.status == 401, reply.summary)


@group.must('accepted', 'The credentials are accepted', 'neither 401 nor 403', PAGE, needs='transport.redirect')
def accepted(context: Context) -> None:
    require(context.root.status not in {401, 403}, context.root.summary)


@group.must('wrong-password', 'A wrong password is refused', '401', STATUS)
def wrong_password(context: Context) -> None:
    _unauthorized(context.denied)


@group.must(
    'wrong-username', 'A wrong user name is refused', '401', STATUS, needs='authentication.wrong-password', cost=1
)
def wrong_username(context: Context) -> None:
    options = context.options
    _unauthorized(context.get('/', headers={'Authorization': basic(f'not-{options.username}', options.password)}))


@group.must('missing', 'A request without credentials is refused', '401', STATUS, cost=1)
def missing(context: Context) -> None:
    _unauthorized(context.get('/', headers={'Authorization': None}))


@group.must(
    'empty-password', 'An empty password is refused', '401', STATUS, needs='authentication.wrong-password', cost=1
)
def empty_password(context: Context) -> None:
    _unauthorized(context.get('/', headers={'Authorization': basic(context.options.username, '')}))


@group.must(
    'other-scheme', 'Another scheme than Basic is refused', '401', PAGE, needs='authentication.wrong-password', cost=1
)
def other_scheme(context: Context) -> None:
    _unauthorized(context.get('/', headers={'Authorization': 'Bearer fsp-check'}))


@group.should(
    'malformed', 'A malformed header is refused', '401 or 400', PAGE, needs='authentication.wrong-password', cost=1
)
def malformed(context: Context) -> None:
    reply = context.get('/', headers={'Authorization': 'Basic %%%'})
    require(reply.status in {400, 401}, reply.summary)


@group.should('scheme-case', 'The name of the scheme is not case-sensitive', '200', 'RFC 9110, 11.1', cost=1)
def scheme_case(context: Context) -> None:
    header = basic(context.options.username, context.options.password).replace('Basic', 'basic')
    reply = context.get('/', headers={'Authorization': header})
    require(reply.is_success, reply.summary)


@group.should(
    'challenge',
    'The refusal names the scheme',
    'WWW-Authenticate: Basic',
    'RFC 9110, 15.5.2',
    needs='authentication.wrong-password',
)
def challenge(context: Context) -> None:
    header = context.denied.headers.get('WWW-Authenticate', '')
    require(header.lower().startswith('basic'), 'another scheme' if header else 'no WWW-Authenticate')


@group.must(
    'error', 'The refusal is a JSON object', 'a JSON object', 'Error codes', needs='authentication.wrong-password'
)
def error(context: Context) -> None:
    require(isinstance(context.denied.json, dict), context.denied.summary)


@group.should('code', 'The refusal has its error code', 'code 3650', 'Error codes', needs='authentication.error')
def code(context: Context) -> None:
    require(context.denied.code == 3650, describe(context.denied.json.get('code')))


@group.should(
    'first',
    'Credentials come before anything else',
    '401 for a missing file',
    STATUS,
    needs='authentication.wrong-password',
    cost=1,
)
def first(context: Context) -> None:
    header = basic(context.options.username, f'not-{context.options.password}')
    _unauthorized(context.get('/fsp-check-missing.png', headers={'Authorization': header}))


@group.must(
    'writing',
    'Nothing is created with a wrong password',
    '401, and no directory',
    STATUS,
    needs='authentication.wrong-password directories.create',
    changes=True,
    cost=3,
)
def writing(context: Context) -> None:
    header = basic(context.options.username, f'not-{context.options.password}')
    reply = context.create(path := f'{context.scratch}denied/', headers={'Authorization': header})
    _unauthorized(reply)
    require(not context.exists(path), '401, but the directory was created')
