"""Transport: an answer, over HTTPS, that is JSON."""

from ..context import Context
from ..http import MALFORMED
from ..model import Skip, Unmet, require
from ..registry import Group
from ..text import clean, describe

group = Group('transport', needs='transport.answers')
DATA = 'Getting Started: data formats'


@group.must('answers', 'The provider answers', 'an HTTP answer to GET {base}/', DATA, needs='')
def answers(context: Context) -> None:
    _ = context.root


@group.must('https', 'The base URL uses HTTPS', 'https', DATA, needs='')
def https(context: Context) -> None:
    if context.is_local:
        raise Skip('the provider is on this machine')
    require(context.options.base_url.lower().startswith('https://'), 'http')


@group.should('base-url', 'The base URL has no slash at its end', 'no slash', DATA, needs='')
def base_url(context: Context) -> None:
    require(not context.options.base_url.endswith('/'), 'a slash')


@group.must('redirect', 'The root is answered itself', 'no redirect', DATA)
def redirect(context: Context) -> None:
    reply = context.root
    require(not 300 <= reply.status < 400, f'{reply.status}, a redirect')


@group.must('json', 'Answers are JSON', 'a JSON object', DATA, needs='listing.success')
def json(context: Context) -> None:
    reply = context.root
    if reply.json is MALFORMED:
        raise Unmet(reply.summary)
    require(isinstance(reply.json, dict), describe(reply.json))


@group.must(
    'content-type', 'Answers say that they are JSON', 'Content-Type: application/json', DATA, needs='listing.root'
)
def content_type(context: Context) -> None:
    kind = context.root.content_type
    require(kind == 'application/json', clean(kind) or 'no Content-Type')


@group.must('utf-8', 'JSON is UTF-8, without a byte order mark', 'UTF-8', 'RFC 8259, 8.1', needs='listing.root')
def utf8(context: Context) -> None:
    body = context.root.body
    require(not body.startswith(b'\xef\xbb\xbf'), 'a byte order mark')
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Unmet('other bytes') from None


@group.should('no-slash', 'The base URL without a slash is the root', 'the root', DATA, needs='listing.root', cost=1)
def no_slash(context: Context) -> None:
    reply = context.get('')
    require(reply.is_success, reply.summary)


@group.may(
    'head',
    'HEAD is answered as GET is, without a body',
    'status of GET, no body',
    'RFC 9110, 9.3.2',
    needs='listing.root',
    cost=1,
)
def head(context: Context) -> None:
    reply = context.client.send('HEAD', '/')
    require(200 <= reply.status < 300 and not reply.body, str(reply.status))


@group.should('query', 'A query does not change what is answered', 'the root', DATA, needs='listing.root', cost=1)
def query(context: Context) -> None:
    reply = context.get('/?fsp-check=1', quoted=True)
    require(reply.is_success, reply.summary)
