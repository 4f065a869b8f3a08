"""``fsp-token INI``: get a token of one Egnyte user, for ``fsp.egnyte.token``."""

import argparse
import getpass
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import colander
import requests

from ..egnyte import (
    Application,
    Client,
    EgnyteError,
    RateLimiter,
    Tokens,
    authorize_url,
    exchange,
    grant_password,
    new_session,
)
from ..settings import SCHEMA, variable
from .browser import ask_in_browser
from .command import (
    Failed,
    command,
    load_ini,
    new_parser,
)
from .environment_file import write_variable

REDIRECT_URI = 'https://localhost/'


class _Site(NamedTuple):
    """Settings that a token needs. The rest is not read: it may be incomplete as long as there is no token."""

    url: str
    application: Application
    timeout: float
    variable: str


@command
def main(argv: Sequence[str] | None = None) -> None:
    """Get a token, say whose it is, and write it to a file or print it."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not (arguments.write or arguments.show):
        parser.error('say where the token goes: --write FILE, or --show')
    site = _site(arguments.ini, arguments.client)
    with new_session() as session:
        try:
            tokens = _get(arguments, site, session)
        except EgnyteError as error:
            raise Failed(f'Egnyte gave no token: {error}.') from error
        owner = _owner(site, tokens, session)
    print(f'Token of {owner} at {site.url}; {_expiry(tokens)}.', file=sys.stderr)
    if arguments.write:
        write_variable(arguments.write, site.variable, tokens.access)
        print(f'{arguments.write} has it as {site.variable}.', file=sys.stderr)
    if arguments.show:
        print(tokens.access)


def _site(ini: str, client: str) -> _Site:
    texts = load_ini(ini).get_settings('app:main')

    def value(name: str) -> Any:
        own, shared = f'fsp.client.{client}.{name}', f'fsp.{name}'
        keys = (own, shared) if client else (shared,)
        candidates = (os.environ.get(variable(key)) or texts.get(key, '') for key in keys)
        text = next((found.strip() for found in candidates if found.strip()), '')
        try:
            return SCHEMA[shared].deserialize(text or colander.null)
        except colander.Invalid as error:
            raise Failed(f'{keys[0]} ({variable(keys[0])}): {"; ".join(error.messages())}.') from None

    url, key = value('egnyte.url'), value('oauth.key')
    if url.startswith('sandbox:'):
        raise Failed('fsp.egnyte.url is an embedded sandbox, which needs no token. With fsp-sandbox, write its URL.')
    if not key:
        raise Failed('fsp.oauth.key (FSP_OAUTH_KEY) is missing: the API key of https://developers.egnyte.com.')
    application = Application(key, value('oauth.secret'), value('oauth.scope'))
    name = variable(f'fsp.client.{client}.egnyte.token' if client else 'fsp.egnyte.token')
    return _Site(url, application, value('egnyte.timeout'), name)


def _get(arguments: argparse.Namespace, site: _Site, session: requests.Session) -> Tokens:
    """Return the tokens of a grant. Raises EgnyteError."""
    if username := arguments.username:
        password = _password(username)
        return grant_password(
            session, site.url, site.application, username, password, timeout=site.timeout, now=time.time()
        )
    if not site.application.secret:
        raise Failed('fsp.oauth.secret (FSP_OAUTH_SECRET) is missing: the secret of the API key.')
    uri = arguments.redirect_uri
    code = ask_in_browser(
        lambda state: authorize_url(site.url, site.application, uri, state), uri, open_browser=arguments.browser
    )
    return exchange(session, site.url, site.application, code, uri, timeout=site.timeout, now=time.time())


def _password(username: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip('\n')
    try:
        return getpass.getpass(f'Password of {username} at Egnyte: ')
    except (EOFError, KeyboardInterrupt):
        raise Failed('No password, no token.') from None


def _owner(site: _Site, tokens: Tokens, session: requests.Session) -> str:
    """Return the user of the tokens. A failure of this call does not lose the token."""
    client = Client(site.url, tokens.access, session=session, rate_limiter=RateLimiter(), timeout=site.timeout)
    try:
        user = client.userinfo()
    except EgnyteError as error:
        return f'a user that Egnyte does not tell ({error})'
    name = ' '.join(part for part in (user.first_name, user.last_name) if part)
    return f'{user.username} ({name})' if name else user.username


def _expiry(tokens: Tokens) -> str:
    if tokens.expires_at is None:
        return 'it is valid until it is revoked'
    return f'it expires on {datetime.fromtimestamp(tokens.expires_at, UTC):%Y-%m-%d}, get another one before'


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(
        'fsp-token',
        'Get a token of the Egnyte user that the files belong to: with a browser or, if the API key is of the same '
        'company, with a password.',
    )
    parser.add_argument('ini', metavar='INI', help='the ini file; its fsp.egnyte.url and fsp.oauth.key are used')
    parser.add_argument('--client', default='', metavar='NAME', help='the name in fsp.clients, if there are several')
    parser.add_argument(
        '--password', dest='username', metavar='USER',
        help='log in as this user; the password is asked for, or read from a pipe',
    )  # fmt: skip
    parser.add_argument(
        '--redirect-uri', metavar='URI', type=_redirect_uri, default=REDIRECT_URI,
        help='as registered with the key (default: %(default)s); with http://localhost:PORT/ nothing has to be pasted',
    )  # fmt: skip
    parser.add_argument('--no-browser', dest='browser', action='store_false', help='print the URL only')
    parser.add_argument(
        '--write', metavar='FILE', type=_writable, help='set the variable of fsp.egnyte.token there, mode 0600'
    )
    parser.add_argument('--show', action='store_true', help='print the token')
    return parser


def _redirect_uri(text: str) -> str:
    if not re.fullmatch(r'https://[^\s?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#]*)?', text):
        raise argparse.ArgumentTypeError('write an https URL, or http://localhost:PORT/')
    return text


def _writable(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f'{path} cannot be written')
    return path
