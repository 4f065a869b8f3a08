"""Upgrade of a database by migrations, safe for concurrent processes."""

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

# Not alembic_version, which is the host's in a host's database.
VERSION_TABLE = 'fsp_alembic_version'
# Key of our advisory lock: "fsp_acct".
LOCK = int.from_bytes(b'fsp_acct')
# alembic.context is global.
_alembic = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Create or migrate the tables; do nothing if they are up to date.

    :param engine: made by :func:`..engines.make_engine`: on SQLite the driver must begin transactions

    Raises alembic's CommandError if a newer version of the package has changed the tables.
    """
    with engine.connect() as connection:
        if revision(connection) == head():
            return
    config = _config()
    with _alembic, engine.connect() as connection:
        if engine.dialect.name == 'postgresql':
            # After waiting for the lock, it must see the migrations of the last holder, despite the host's isolation.
            connection.execution_options(isolation_level='READ COMMITTED')
        with connection.begin():
            _lock(connection)
            config.attributes['connection'] = connection
            command.upgrade(config, 'head')


def revision(connection: Connection) -> str | None:
    """Return the migration that the database is at; None for an empty one."""
    return MigrationContext.configure(connection, opts={'version_table': VERSION_TABLE}).get_current_revision()


def head() -> str | None:
    """Return the newest migration of this version."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option('script_location', __name__.replace('.', ':', 1).replace('.', '/'))
    return config


def _lock(connection: Connection) -> None:
    """Lock until the end of the transaction, which includes changes of tables on both databases."""
    if connection.dialect.name == 'postgresql':
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    else:
        connection.exec_driver_sql('BEGIN IMMEDIATE')
