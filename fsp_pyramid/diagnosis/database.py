"""Database of accounts and of the rate limiter: reachable, version, migrations, and whether our keys open the tokens.

Nothing is created: the first request creates tables, and SQLite's file.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends import host_session
from ..settings import Settings
from . import probes
from .installation import Installation
from .model import Result, failure, ok, skipped, warning

if TYPE_CHECKING:  # it needs the extra "accounts"
    from sqlalchemy import Connection, Engine

# Seconds.
TIMEOUT = 3
# The oldest that is still maintained.
OLDEST_POSTGRESQL = (14,)
# Numbers of accounts that a text names.
NAMED = 10


def check_database(installation: Installation) -> Iterator[Result]:
    """Check the database, if a setting needs one."""
    settings = installation.settings
    if not _uses_accounts(installation) and settings.pace.backend != 'database':
        yield skipped('database.reachable', 'neither accounts nor the rate limiter need a database')
        return
    from sqlalchemy.exc import SQLAlchemyError

    where = 'fsp.accounts.session' if settings.accounts.session else 'fsp.database_url'
    try:
        engine = _engine(installation)
        if engine is None:
            yield skipped('database.reachable', "the host's database is known in a request only", where)
            return
        if absent := _absent_file(engine):
            yield from _future_file(absent, where)
            return
        with _connected(engine, is_own=not settings.accounts.session) as connection:
            yield ok('database.reachable', 'answers', where)
            yield from _versions(connection, where)
            if _uses_accounts(installation):
                yield from _accounts(connection, settings)
    except ValueError as error:  # the message is ours, without the URL
        yield failure('database.reachable', str(error), 'correct the URL', where)
    except SQLAlchemyError as error:
        yield failure(
            'database.reachable',
            f'no answer: {_cause(error)}',
            'start it, or correct the URL (host, port, name, password)',
            where,
        )


def _uses_accounts(installation: Installation) -> bool:
    return any(client.settings.accounts.mode == 'oauth' for client in installation.clients)


def _cause(error: BaseException) -> str:
    """Return the name of the error of the driver. Its text may show the URL."""
    original = getattr(error, 'orig', None)
    return type(original or error).__name__


def _engine(installation: Installation) -> 'Engine | None':
    from ..accounts.database import engine_of
    from ..database.engines import make_engine

    settings = installation.settings
    if not settings.accounts.session:
        return make_engine(settings.database_url, 'fsp.database_url', TIMEOUT, TIMEOUT)
    return None if installation.request is None else engine_of(host_session(settings)(installation.request))


@contextmanager
def _connected(engine: 'Engine', is_own: bool) -> Iterator['Connection']:
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if is_own:
            engine.dispose()


def _absent_file(engine: 'Engine') -> Path | None:
    """Return SQLite's file if it does not exist yet; connecting would create it."""
    if engine.dialect.name != 'sqlite':
        return None
    path = Path(engine.url.database or '')
    return None if path.exists() else path


def _future_file(path: Path, where: str) -> Iterator[Result]:
    try:
        probes.directory(str(path.parent))
    except probes.ProbeFailed as error:
        yield failure('database.reachable', str(error), 'make the directory writable for the service', where)
    else:
        yield ok('database.reachable', 'the first request creates the file', where)


def _versions(connection: 'Connection', where: str) -> Iterator[Result]:
    from ..database.migrations import head, revision

    numbers = connection.dialect.server_version_info or ()
    text = '.'.join(map(str, numbers))
    if connection.dialect.name == 'postgresql' and numbers < OLDEST_POSTGRESQL:
        yield warning('database.version', f'PostgreSQL {text}', f'use {OLDEST_POSTGRESQL[0]} or later', where)
    else:
        yield ok('database.version', f'{connection.dialect.name} {text}', where)
    current, newest = revision(connection), head()
    if current == newest:
        yield ok('database.migrations', f'up to date ({current})', where)
    elif current is None:
        yield ok('database.migrations', 'no tables yet: the first request creates them', where)
    elif newest and current > newest:
        yield failure(
            'database.migrations',
            f'the tables are of a newer version ({current}, this one has {newest})',
            'install the newer version of fsp-pyramid',
            where,
        )
    else:
        yield warning(
            'database.migrations',
            f'at {current}, this version has {newest}: the first request upgrades it',
            'restart the service',
            where,
        )


def _accounts(connection: 'Connection', settings: Settings) -> Iterator[Result]:
    from sqlalchemy import inspect, select
    from sqlalchemy.orm import Session

    from ..accounts.encryption import DecryptionError, TokenCipher
    from ..accounts.models import AccountRow, State
    from ..accounts.store import owner_of

    if not inspect(connection).has_table(AccountRow.__tablename__):
        yield skipped('accounts.keys', 'no tables yet')
        return
    cipher, states, unreadable = TokenCipher(settings.accounts.keys), Counter[str](), list[int]()
    ended, now = 0, time.time()
    for row in Session(connection).scalars(select(AccountRow).order_by(AccountRow.id)):
        states[row.state] += 1
        ended += row.state == State.CONNECTED and row.expires_at is not None and row.expires_at <= now
        if row.sealed:
            try:
                cipher.decrypt(row.sealed, owner_of(row))
            except DecryptionError:
                unreadable.append(row.id)
    if unreadable:
        named = ', '.join(map(str, unreadable[:NAMED])) + (', ...' if len(unreadable) > NAMED else '')
        yield failure(
            'accounts.keys',
            f'no key of fsp.accounts.keys decrypts the tokens of account {named}',
            'add the key that encrypted them; without it their users have to connect again',
        )
    else:
        yield ok('accounts.keys', 'the keys decrypt all stored tokens')
    counts = ', '.join(f'{states[state]} {state}' for state in State)
    if states[State.EXPIRED]:
        yield warning('accounts.states', counts, 'the expired ones have to connect again: fsp-accounts INI list')
    else:
        yield ok('accounts.states', counts + (f'; {ended} with an access token to refresh' if ended else ''))


CHECKS = (check_database,)
