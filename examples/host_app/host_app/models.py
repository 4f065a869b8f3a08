"""Database of the product: customers, and a row for each of their uploads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zope.sqlalchemy
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

QUOTA = 10_000_000


class Base(DeclarativeBase):
    """Base of the tables."""


class Customer(Base):
    """Customer with *quota* bytes for uploads; *uid* is the uid in Beefree."""

    __tablename__ = 'customer'

    uid: Mapped[str] = mapped_column(primary_key=True)
    quota: Mapped[int]


class Upload(Base):
    """Upload of a customer. A foreign key ensures that the customer exists."""

    __tablename__ = 'upload'

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(ForeignKey('customer.uid'))
    path: Mapped[str]
    size: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


def includeme(config: Any) -> None:
    """Add ``request.dbsession``, a session that is committed or rolled back with ``request.tm``."""
    engine = create_engine(config.registry.settings['sqlalchemy.url'])
    Path(engine.url.database or '').parent.mkdir(exist_ok=True)
    event.listen(engine, 'connect', lambda connection, _: connection.execute('PRAGMA foreign_keys = ON').close())
    Base.metadata.create_all(engine)
    factory = config.registry['dbsession_factory'] = sessionmaker(engine)
    with factory.begin() as session:
        session.merge(Customer(uid='demo', quota=QUOTA))

    def dbsession(request: Any) -> Session:
        session = factory()
        zope.sqlalchemy.register(session, transaction_manager=request.tm)
        return session

    config.include('pyramid_tm')
    config.add_request_method(dbsession, reify=True)


def session_of(request: Any) -> Session:
    """Return the session for ``fsp.accounts.session``: accounts are in this database and in its transactions."""
    return request.dbsession
