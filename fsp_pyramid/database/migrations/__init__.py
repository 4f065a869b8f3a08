"""Bring a database up to date, whichever process comes first."""

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

# Not alembic_version: that is the host's, where we are in a host's database.
VERSION_TABLE = 'fsp_alembic_version'
# Any number that nobody else locks: "fsp_acct".
LOCK = int.from_bytes(b'fsp_acct')
# alembic.context is one for all threads.
_alembic = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Create or change the tables as far as they are not up to date; does nothing where they are.

    :param engine: of :func:`..engines.make_engine`: SQLite's transactions must be the driver's

    Raises alembic's CommandError where a newer version of the package changed the tables.
    """
    config = _config()
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        if revision(connection) == head:
            return
    with _alembic, engine.connect() as connection:
        if engine.dialect.name == 'postgresql':
            # Whoever waited for the lock has to see what the one before did, whatever isolation a host prefers.
            connection.execution_options(isolation_level='READ COMMITTED')
        with connection.begin():
            _lock(connection)
            config.attributes['connection'] = connection
            command.upgrade(config, 'head')


def revision(connection: Connection) -> str | None:
    """Up to which migration the database is; None for an empty one."""
    return MigrationContext.configure(connection, opts={'version_table': VERSION_TABLE}).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option('script_location', __name__.replace('.', ':', 1).replace('.', '/'))
    return config


def _lock(connection: Connection) -> None:
    """Until the end of the transaction, which on both databases contains changes of tables as well."""
    if connection.dialect.name == 'postgresql':
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    else:
        connection.exec_driver_sql('BEGIN IMMEDIATE')
