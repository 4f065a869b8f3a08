"""Names and encodings."""

from ..context import Context
from ..http import Reply
from ..model import require
from ..reading import meta_of, name_of, text_of
from ..registry import Group
from ..text import clean, listed

group = Group('names', needs='directories.create', changes=True)
NOTES, COMMON, FILE = 'Create operation notes', 'Common Meta', 'File specific Meta'


def _created(context: Context, name: str) -> None:
    """Require that a directory can be created, and that it is listed under its name."""
    reply = context.create(f'{context.scratch}{name}/')
    require(reply.is_success, reply.summary)
    names = context.names(context.scratch)
    require(f'{name}/' in names, f'listed: {listed(names)}')


def _stored_or_refused(context: Context, name: str) -> None:
    """Require that a file is stored under exactly this name, or refused."""
    reply = context.upload(f'{context.scratch}{name}')
    if not reply.is_success:
        require(reply.is_refusal, reply.summary)
        return
    found = name_of(meta_of(reply) or {})
    require(found == name, f'stored as "{clean(found, 60)}"')
    require(context.exists(f'{context.scratch}{name}'), 'stored, but GET does not find it')


def _bad_request(reply: Reply) -> None:
    require(reply.is_refusal, reply.summary)


@group.must(
    'blank',
    'Names of directories may hold blanks',
    'a directory of that name',
    NOTES,
    cost=3,
    needs='directories.create listing.items',
)
def blank(context: Context) -> None:
    _created(context, 'new dir')


@group.must(
    'parentheses',
    'Names of directories may hold parentheses',
    'a directory of that name',
    NOTES,
    cost=3,
    needs='directories.create listing.items',
)
def parentheses(context: Context) -> None:
    _created(context, 'copy (1)')


@group.must(
    'punctuation',
    'Names of directories may hold . _ -',
    'a directory of that name',
    NOTES,
    cost=3,
    needs='directories.create listing.items',
)
def punctuation(context: Context) -> None:
    _created(context, 'a.b_c-d')


@group.must(
    'capitals',
    'The spelling of a name is kept',
    'a directory of that name',
    NOTES,
    cost=3,
    needs='directories.create listing.items',
)
def capitals(context: Context) -> None:
    _created(context, 'MixedCase')


@group.must(
    'digits',
    'Names of directories may be numbers',
    'a directory of that name',
    NOTES,
    cost=3,
    needs='directories.create listing.items',
)
def digits(context: Context) -> None:
    _created(context, '2026')


@group.must(
    'path-decoded',
    'Paths in metadata are not url-encoded',
    'a blank in the path',
    COMMON,
    cost=2,
    needs='directories.create metadata.directory-path',
)
def path_decoded(context: Context) -> None:
    reply = context.create(path := f'{context.scratch}not encoded/')
    require(reply.is_success, reply.summary)
    found = text_of(meta_of(reply), 'path')
    require(found.rstrip('/') == path.rstrip('/'), f'path {clean(found, 80) or "missing"}')


@group.must(
    'file-blank',
    'Names of files may hold blanks and parentheses',
    'a file of that name',
    'Upload operation notes',
    needs='upload.file',
    cost=3,
)
def file_blank(context: Context) -> None:
    reply = context.upload(path := f'{context.scratch}my pic (2).png')
    require(reply.is_success, reply.summary)
    require(name_of(meta_of(reply) or {}) == 'my pic (2).png', clean(name_of(meta_of(reply) or {}), 60) or 'no name')
    require(context.exists(path), 'stored, but GET does not find it')


@group.must(
    'public-url',
    'The public URL of a name with blanks works',
    '200',
    FILE,
    needs='names.file-blank public.works',
    cost=3,
)
def public_url(context: Context) -> None:
    url = text_of(context.new_file(f'{context.scratch}public pic.png'), 'public-url')
    require(' ' not in url, 'a blank in the URL')
    reply = context.client.fetch(url)
    require(reply.status == 200, str(reply.status))


@group.should(
    'plus',
    'A plus sign is no blank',
    'stored under this name, or refused',
    'RFC 3986, 2.1',
    needs='upload.file',
    cost=3,
)
def plus(context: Context) -> None:
    _stored_or_refused(context, 'a+b.png')


@group.should(
    'percent',
    'Percent-encoding is decoded once',
    'stored under this name, or refused',
    'RFC 3986, 2.4',
    needs='upload.file',
    cost=3,
)
def percent(context: Context) -> None:
    _stored_or_refused(context, '100%25.png')


@group.should(
    'ampersand',
    'Names may hold & and =',
    'stored under this name, or refused',
    'RFC 3986, 2.2',
    needs='upload.file',
    cost=3,
)
def ampersand(context: Context) -> None:
    _stored_or_refused(context, 'a&b=c.png')


@group.should(
    'unicode',
    'Names may hold letters of other languages',
    'a directory of that name',
    COMMON,
    cost=3,
    needs='directories.create listing.items',
)
def unicode(context: Context) -> None:
    _created(context, 'Bücher 本')


@group.should(
    'emoji',
    'Names beyond the Basic Multilingual Plane do no harm',
    'stored under this name, or refused',
    COMMON,
    needs='upload.file',
    cost=3,
)
def emoji(context: Context) -> None:
    _stored_or_refused(context, 'party \U0001f389.png')


@group.should('long', 'A name that is too long is refused', '4xx', COMMON, needs='listing.root', changes=False, cost=1)
def long(context: Context) -> None:
    _bad_request(context.get(f'/fsp-check-{"x" * 300}.png'))


@group.must('dot-dot', 'Paths do not lead out with ..', '4xx', COMMON, needs='listing.root', changes=False, cost=1)
def dot_dot(context: Context) -> None:
    _bad_request(context.get('/%2e%2e/%2e%2e/%2e%2e/', quoted=True))


@group.should(
    'null', 'A null character in a path is refused', '4xx', COMMON, needs='listing.root', changes=False, cost=1
)
def null(context: Context) -> None:
    _bad_request(context.get('/fsp-check%00.png', quoted=True))


@group.should(
    'bad-utf-8', 'A path that is no UTF-8 is refused', '4xx', COMMON, needs='listing.root', changes=False, cost=1
)
def bad_utf8(context: Context) -> None:
    _bad_request(context.get('/fsp-check%ff%fe.png', quoted=True))
