"""``fsp-accounts INI COMMAND``: administration of the accounts that users connected."""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ..accounts import AccountKey
from ..clients import find_client
from ..concurrency.circuit_breaker import CircuitOpen
from ..connect import connect_url
from ..errors import Busy
from ..interfaces import (
    IAccountStores,
    IConnect,
    IMount,
    IPublic,
)
from ..routing import origin_of
from .command import (
    Failed,
    command,
    environment,
    extra,
    new_parser,
    seconds,
)

if TYPE_CHECKING:  # it needs the extra "accounts"
    from ..accounts.store import AccountStore, Connection


TEN_YEARS = 10 * 365 * 86400


class CommandContext(NamedTuple):
    """Request and account store of a command, in a transaction that is committed at its end."""

    request: Any
    store: 'AccountStore'


def list_accounts(context: CommandContext, arguments: argparse.Namespace) -> None:
    """Print a line for each account, or all as JSON."""
    connections = context.store.list_all()
    if arguments.json:
        print(json.dumps([_fields(connection) for connection in connections], indent=2))
        return
    if not connections:
        print('No accounts are connected.')
    for connection in connections:
        print(
            f'{connection.number:>6}  {connection.state:<12}  {connection.account_key}  '
            f'{connection.client_id}/{connection.uid}  {connection.username} at {connection.egnyte_url}'
        )


def show(context: CommandContext, arguments: argparse.Namespace) -> None:
    """Print the fields of one account; never its tokens."""
    fields = _fields(_connection(context, arguments.number))
    if arguments.json:
        print(json.dumps(fields, indent=2))
        return
    fields['folder'] = fields['folder'] or '(none picked)'
    fields['token_ends'] = fields['token_ends'] or '(never)'
    for name, value in fields.items():
        print(f'{NAMES.get(name, name) + ":":<12} {value}')


# Labels of "show" for the fields of JSON.
NAMES = {'client_id': 'client id', 'egnyte': 'Egnyte', 'token_ends': 'token ends'}


def _fields(connection: 'Connection') -> dict[str, Any]:
    """Return the fields of an account, without its tokens."""
    return {
        'number': connection.number,
        'state': str(connection.state),
        'client': connection.account_key,
        'client_id': connection.client_id,
        'uid': connection.uid,
        'egnyte': connection.egnyte_url,
        'user': connection.username,
        'folder': connection.folder,
        'token_ends': _time(connection.expires_at) if connection.expires_at else None,
        'connected': _time(connection.created_at),
        'changed': _time(connection.updated_at),
    }


def disconnect(context: CommandContext, arguments: argparse.Namespace) -> None:
    """Revoke an account's tokens at Egnyte and delete them."""
    connection = _connection(context, arguments.number)
    if _accounts(context, connection).disconnect(context.request, connection):
        print(f'Account {connection.number} is disconnected, and its tokens are revoked.')
    else:
        print(
            f'Account {connection.number} is disconnected here. Its tokens may still be valid: revoke them at Egnyte.'
        )


def print_url(context: CommandContext, arguments: argparse.Namespace) -> None:
    """Print a link to the page on which a user connects an account, or chooses a folder."""
    _check_base_url(context.request.registry, arguments.base_url)
    names = ('client_id', 'uid', 'client', 'mount', 'purpose', 'lifetime', 'user_label', 'return_url', 'language')
    options = {name: getattr(arguments, name) for name in names}
    try:
        print(connect_url(context.request.registry, arguments.base_url, **options))
    except ValueError as error:
        raise Failed(error) from error


def _check_base_url(registry: Any, url: str) -> None:
    """Raise Failed if *url* is no base URL of the application: users could not open the link."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {'http', 'https'} and parts.hostname and parts.port != 0
    except ValueError:  # of brackets and ports
        usable = False
    # Of http URLs, origin_of() knows those of loopback only.
    if not usable or (parts.username is None and not origin_of(f'https://{url.partition("://")[2]}')):
        raise Failed(f'{url} is no base URL: write it with its scheme and an existing host: https://files.acme.com')
    if parts.query or parts.fragment or parts.username is not None:
        raise Failed('A base URL has neither a user name nor "?" or "#": write it like https://files.acme.com')
    mounts = [mount.path for _, mount in registry.getUtilitiesFor(IMount)]
    paths = [*mounts, registry.getUtility(IPublic).path, registry.getUtility(IConnect).path]
    if found := next((path for path in paths if f'{parts.path.rstrip("/")}/'.endswith(f'{path}/')), ''):
        raise Failed(f"Write {url} without {found}: it is the URL of the application, not that in Beefree's console.")


def rotate_keys(context: CommandContext, _arguments: argparse.Namespace) -> None:
    """Encrypt all tokens with the newest key."""
    rotation = context.store.rotate()
    print(f'{rotation.encrypted} accounts are encrypted with the first key of fsp.accounts.keys.')
    if rotation.unreadable:
        numbers = ', '.join(map(str, rotation.unreadable))
        raise Failed(f'No key opens these accounts, whose users have to connect again: {numbers}.')


COMMANDS = {
    'list': list_accounts,
    'show': show,
    'connect-url': print_url,
    'disconnect': disconnect,
    'rotate-keys': rotate_keys,
}


@command
def main(argv: Sequence[str] | None = None) -> None:
    """Run a command. The exit status is 1 if it fails."""
    arguments = _parse(argv)
    if arguments.command == 'new-key':
        with extra('accounts'):
            from cryptography.fernet import Fernet
        print(Fernet.generate_key().decode())
        return
    with _command_context(arguments.ini) as context, _database_errors():
        COMMANDS[arguments.command](context, arguments)


@contextmanager
def _database_errors() -> Iterator[None]:
    """Raise Failed for errors of the database of accounts."""
    database = 'The database of accounts (fsp.database_url, or that of fsp.accounts.session)'
    try:
        yield
    except Busy as error:
        if isinstance(error.__cause__, CircuitOpen):
            raise Failed(f'{database} does not answer.') from error
        raise Failed(f'{database} is busy. Try again in a few seconds.') from error


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = new_parser('fsp-accounts', 'The accounts that users connected.')
    parser.add_argument('ini', help='the ini file of the installation')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    listing = commands.add_parser('list', help='a line for each account')
    listing.add_argument('--json', action='store_true', help='print them as a list of JSON objects')
    commands.add_parser('new-key', help='print a new key for fsp.accounts.keys')
    commands.add_parser('rotate-keys', help='encrypt all tokens with the first of fsp.accounts.keys')
    one = commands.add_parser('show', help='the fields of an account')
    one.add_argument('--json', action='store_true', help='print it as a JSON object')
    for parsed in (one, commands.add_parser('disconnect', help='revoke and forget its tokens')):
        parsed.add_argument('number', type=int, help='as "list" tells it')
    link = commands.add_parser('connect-url', help='a link for a single user; keep it secret')
    link.add_argument('base_url', help='the URL of the application for browsers: https://files.acme.com')
    link.add_argument('client_id', help='as X-BEE-ClientId says it')
    link.add_argument('uid', help='as X-BEE-Uid says it')
    link.add_argument('--client', default='', help='the name in fsp.clients, if there are several')
    link.add_argument('--mount', default='fsp', help='the name of the mount, if there are several')
    link.add_argument('--purpose', default='connect', choices=('connect', 'folder'))
    link.add_argument('--lifetime', type=seconds(TEN_YEARS), help='seconds; fsp.connect.lifetime otherwise')
    link.add_argument('--user-label', default='', metavar='TEXT', help="the user's name on the page; the uid otherwise")
    link.add_argument(
        '--return-url',
        default='',
        metavar='URL',
        help='the page that the last one leads back to, at an origin of fsp.connect.return_origins',
    )
    link.add_argument('--language', default='', help="of the pages: de, for example; the browser's otherwise")
    return parser.parse_args(argv)


@contextmanager
def _command_context(ini: str) -> Iterator[CommandContext]:
    with environment(ini) as found:
        request = found['request']
        stores = found['registry'].queryUtility(IAccountStores)
        if stores is None:
            raise Failed(f'In {ini} no users connect accounts: fsp.accounts.mode is not oauth.')
        request.environ['tm.active'] = True
        try:
            with request.tm:
                yield CommandContext(request, stores(request))
        finally:
            stores.close()


def _connection(context: CommandContext, number: int) -> 'Connection':
    # Databases refuse a number that does not fit into a column of integers.
    connection = context.store.by_number(number) if 0 < number < 2**31 else None
    if connection is None:
        raise Failed(f'There is no account {number}.')
    return connection


def _accounts(context: CommandContext, connection: 'Connection') -> Any:
    key = AccountKey.parse(connection.account_key)
    try:
        return find_client(context.request.registry, key.mount, key.client).accounts
    except LookupError:
        raise Failed(
            f'The ini file has no client {connection.account_key} any more; revoke the account at Egnyte.'
        ) from None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec='seconds')
