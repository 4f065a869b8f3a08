"""Declarative base of all tables."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Base of our tables, with a registry apart from a host's. All times are in UNIX seconds."""

    # Explicit names: each database would name constraints in its own way, and migrations could not find them.
    metadata = MetaData(
        naming_convention={'pk': 'pk_%(table_name)s', 'ix': 'ix_%(table_name)s_%(column_0_N_name)s'},
    )
