"""``fsp-accounts INI COMMAND``: the accounts that users connected, for the operator."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.fernet import Fernet
from pyramid.paster import bootstrap, setup_logging

from ..accounts import AccountKey
from ..accounts.store import AccountStore, Connection
from ..connect import connect_url
from ..errors import Busy
from ..interfaces import IAccountStores, IMount
from ..outage import DownError


class Office(NamedTuple):
    """What a command works with, inside of a transaction that is committed at its end."""

    request: Any
    store: AccountStore


class Failed(Exception):
    """The command cannot be done; the message says why."""


def list_accounts(office: Office, _arguments: argparse.Namespace) -> None:
    """Print a line for each account."""
    for connection in office.store.list_all():
        print(
            f'{connection.number:>6}  {connection.state:<12}  {connection.client}  '
            f'{connection.client_id}/{connection.uid}  {connection.username} at {connection.egnyte_url}'
        )


def show(office: Office, arguments: argparse.Namespace) -> None:
    """Print what is known of one account; never its tokens."""
    connection = _connection(office, arguments.number)
    rows = {
        'number': connection.number,
        'state': connection.state,
        'client': connection.client,
        'client id': connection.client_id,
        'uid': connection.uid,
        'Egnyte': connection.egnyte_url,
        'user': connection.username,
        'folder': connection.folder or '(none picked)',
        'token ends': _time(connection.expires_at) if connection.expires_at else '(never)',
        'connected': _time(connection.created_at),
        'changed': _time(connection.updated_at),
    }
    for name, value in rows.items():
        print(f'{name + ":":<12} {value}')


def disconnect(office: Office, arguments: argparse.Namespace) -> None:
    """Revoke an account's tokens at Egnyte and forget them."""
    connection = _connection(office, arguments.number)
    if _accounts(office, connection).disconnect(office.request, connection):
        print(f'Account {connection.number} is disconnected, and its tokens are revoked.')
    else:
        print(f'Account {connection.number} is disconnected here. Egnyte could not be told: revoke it there as well.')


def print_url(office: Office, arguments: argparse.Namespace) -> None:
    """Print a link on which a user connects, or chooses a folder."""
    names = ('client_id', 'uid', 'client', 'mount', 'purpose', 'lifetime')
    try:
        print(
            connect_url(
                office.request.registry, arguments.base_url, **{name: getattr(arguments, name) for name in names}
            )
        )
    except ValueError as error:
        raise Failed(error) from error


def rotate_keys(office: Office, _arguments: argparse.Namespace) -> None:
    """Encrypt all tokens with the newest key."""
    rotation = office.store.rotate()
    print(f'{rotation.sealed} accounts are encrypted with the first key of fsp.accounts.keys.')
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 1 where it cannot be done."""
    arguments = _parse(argv)
    if arguments.command == 'new-key':
        print(Fernet.generate_key().decode())
        return 0
    try:
        with _office(arguments.ini) as office, _database_told():
            COMMANDS[arguments.command](office, arguments)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _database_told() -> Iterator[None]:
    """Say it plainly where the database fails."""
    database = 'The database of accounts (fsp.database_url, or that of fsp.accounts.session)'
    try:
        yield
    except Busy as error:
        if isinstance(error.__cause__, DownError):
            raise Failed(f'{database} does not answer.') from error
        raise Failed(f'{database} is busy. Try again in a few seconds.') from error


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='fsp-accounts', description='The accounts that users connected.')
    parser.add_argument('ini', help='the ini file of the installation')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    commands.add_parser('list', help='a line for each account')
    commands.add_parser('new-key', help='print a new key for fsp.accounts.keys')
    commands.add_parser('rotate-keys', help='encrypt all tokens with the first of fsp.accounts.keys')
    for name, help_ in (('show', 'what is known of an account'), ('disconnect', 'revoke and forget its tokens')):
        commands.add_parser(name, help=help_).add_argument('number', type=int, help='as "list" tells it')
    link = commands.add_parser('connect-url', help='a link for a user; give it to nobody else')
    link.add_argument('base_url', help='where the bridge is for browsers: https://files.acme.com')
    link.add_argument('client_id', help='as X-BEE-ClientId says it')
    link.add_argument('uid', help='as X-BEE-Uid says it')
    link.add_argument('--client', default='', help='the name in fsp.clients, if there are several')
    link.add_argument('--mount', default='fsp', help='the name of the mount, if there are several')
    link.add_argument('--purpose', default='connect', choices=('connect', 'folder'))
    link.add_argument('--lifetime', type=float, help='seconds; fsp.connect.lifetime otherwise')
    return parser.parse_args(argv)


@contextmanager
def _office(ini: str) -> Iterator[Office]:
    if not Path(ini.partition('#')[0]).is_file():
        raise Failed(f'There is no file {ini}.')
    setup_logging(ini)
    with bootstrap(ini) as environment:
        request = environment['request']
        stores = environment['registry'].queryUtility(IAccountStores)
        if stores is None:
            raise Failed(f'In {ini} no users connect accounts: fsp.accounts.mode is not oauth.')
        request.environ['tm.active'] = True
        try:
            with request.tm:
                yield Office(request, stores(request))
        finally:
            stores.close()


def _connection(office: Office, number: int) -> Connection:
    connection = office.store.by_number(number)
    if connection is None:
        raise Failed(f'There is no account {number}.')
    return connection


def _accounts(office: Office, connection: Connection) -> Any:
    key = AccountKey.parse(connection.client)
    mount = office.request.registry.queryUtility(IMount, name=key.mount)
    bridge = mount and mount.bridges.get(key.client)
    if bridge is None:
        raise Failed(f'The ini file has no client {connection.client} any more; revoke the account at Egnyte.')
    return bridge.accounts


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec='seconds')
