"""The product's database: customers, and a row for each of their uploads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zope.sqlalchemy
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

QUOTA = 10_000_000


class Base(DeclarativeBase):
    """The tables."""


class Customer(Base):
    """Somebody who may upload *quota* bytes; Beefree knows them by the same *uid*."""

    __tablename__ = 'customer'

    uid: Mapped[str] = mapped_column(primary_key=True)
    quota: Mapped[int]


class Upload(Base):
    """A file that a customer stored. It belongs to a customer that exists: the database sees to that."""

    __tablename__ = 'upload'

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(ForeignKey('customer.uid'))
    path: Mapped[str]
    size: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


def includeme(config: Any) -> None:
    """``request.dbsession``: a session that is committed or rolled back with ``request.tm``."""
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
    """For ``fsp.accounts.session``: accounts at Egnyte in this database, and in this application's transactions."""
    return request.dbsession
