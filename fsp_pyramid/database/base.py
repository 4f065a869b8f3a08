"""What all tables have in common."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The tables of the bridge, apart from those of a host. All times are in UNIX seconds."""

    # Without names of their own constraints are named by each database, and no migration could find them.
    metadata = MetaData(
        naming_convention={'pk': 'pk_%(table_name)s', 'ix': 'ix_%(table_name)s_%(column_0_N_name)s'},
    )
