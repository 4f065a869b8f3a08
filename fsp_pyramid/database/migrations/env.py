"""Run by alembic, with the connection that :func:`..upgrade` gives it."""

from alembic import context

from fsp_pyramid.database.base import Base
from fsp_pyramid.database.migrations import VERSION_TABLE

context.configure(
    connection=context.config.attributes['connection'],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    # SQLite cannot alter columns.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
