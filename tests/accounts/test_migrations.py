"""Migrations bring every database to the models, also with concurrent processes."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import transaction
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect, text

from fsp_pyramid.accounts.database import Database, HostDatabase
from fsp_pyramid.database import migrations
from fsp_pyramid.database.base import Base
from fsp_pyramid.rate_stores.models import PaceRow

from ..timing import PATIENCE
from .support import engine_of

TABLES = ['fsp_accounts', migrations.VERSION_TABLE, PaceRow.__tablename__, 'fsp_states']


@pytest.fixture
def engine(url: str, tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / 'var').mkdir(exist_ok=True)
    engine = engine_of(url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> list[str]:
    return sorted(inspect(engine).get_table_names())


def test_migrations_lead_to_the_models(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={'version_table': migrations.VERSION_TABLE, 'compare_server_default': True}
        )
        assert compare_metadata(context, Base.metadata) == []
        assert migrations.revision(connection) == ScriptDirectory.from_config(migrations._config()).get_current_head()


def test_migrations_and_models_make_the_same_sqlite(tmp_path: Path) -> None:
    """Return the SQL of tables, for what alembic does not compare: AUTOINCREMENT, names of constraints."""

    def schema(name: str) -> list[tuple[str, str]]:
        db = sqlite3.connect(tmp_path / name)
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE '%fsp_%' ORDER BY name").fetchall()
        db.close()
        return [(name, ' '.join(sql.split())) for name, sql in rows if sql and name != migrations.VERSION_TABLE]

    for name, make in (('migrated', migrations.upgrade), ('modelled', Base.metadata.create_all)):
        engine = engine_of(f'sqlite:///{tmp_path}/{name}')
        make(engine)
        engine.dispose()
    assert schema('migrated') == schema('modelled') != []


def test_upgrading_again_changes_nothing(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO fsp_states VALUES ('kept', 1)"))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text('SELECT nonce FROM fsp_states')) == 'kept'


def test_every_migration_can_be_downgraded(engine: Engine) -> None:
    migrations.upgrade(engine)
    config = migrations._config()
    with engine.begin() as connection:
        config.attributes['connection'] = connection
        command.downgrade(config, 'base')
    assert tables(engine) == [migrations.VERSION_TABLE]
    migrations.upgrade(engine)
    assert tables(engine) == TABLES


def test_migration_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text('CREATE TABLE fsp_states (in_the_way INTEGER)'))
    with pytest.raises(Exception, match='already exists'):
        migrations.upgrade(engine)
    assert tables(engine) == ['fsp_states']


def test_host_keeps_its_own_versions(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text('CREATE TABLE alembic_version (version_num VARCHAR(32))'))
        connection.execute(text("INSERT INTO alembic_version VALUES ('host')"))
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text('SELECT * FROM alembic_version')).all() == [('host',)]


def test_tables_of_a_newer_version_are_refused(engine: Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = 'newer'"))
    with pytest.raises(CommandError, match='newer'):
        migrations.upgrade(engine)


def test_threads_upgrade_concurrently(url: str) -> None:
    databases = [Database(url) for _ in range(8)]

    def use(database: Database) -> None:
        with transaction.TransactionManager(explicit=True) as manager, database.sessions(manager).own() as session:
            assert session.scalar(text('SELECT count(*) FROM fsp_accounts')) == 0

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, databases))
    for database in databases:
        database.close()


def upgrade_in_a_process(url: str, barrier: Any) -> None:
    engine, tables = engine_of(url), HostDatabase()
    if engine.dialect.name == 'postgresql':
        # Engine of a host with snapshot isolation, whose snapshot is older than the lock.
        engine.update_execution_options(isolation_level='REPEATABLE READ')
    barrier.wait(PATIENCE)
    tables.prepare(engine)
    tables.close()


def test_processes_upgrade_concurrently(url: str, engine: Engine) -> None:
    context = multiprocessing.get_context('spawn')
    barrier = context.Barrier(4)
    processes = [context.Process(target=upgrade_in_a_process, args=(url, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0] * 4
    assert tables(engine) == TABLES
