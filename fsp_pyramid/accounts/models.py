"""The tables of accounts. Migrations bring databases to this; a test holds the two together."""

from enum import StrEnum

from sqlalchemy import Double, Enum, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..database.base import Base


class State(StrEnum):
    """What an account can be used for."""

    CONNECTED = 'connected'
    EXPIRED = 'expired'  # Egnyte takes the tokens no more: the user has to connect again
    DISCONNECTED = 'disconnected'


class AccountRow(Base):
    """An account at Egnyte, of one user of one client.

    The row survives disconnecting: its number is in public links, which live again when the user comes back.

    :param client: the name of the configured client
    :param egnyte_url: ``https://acme.egnyte.com``
    :param sealed: the tokens, encrypted; NULL where there are none to be used
    :param expires_at: when the access token ends; NULL if it does not
    :param folder: an Egnyte path; NULL where none was picked
    """

    __tablename__ = 'fsp_accounts'
    __table_args__ = (
        Index('ix_fsp_accounts_owner', 'client', 'client_id', 'uid', unique=True),
        # SQLite would give the highest number a second time, were its row deleted.
        {'sqlite_autoincrement': True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Both databases compare text to the letter unless they are told otherwise.
    client: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    uid: Mapped[str] = mapped_column(Text)
    egnyte_url: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[float | None] = mapped_column(Double)
    state: Mapped[State] = mapped_column(
        Enum(State, native_enum=False, length=16, values_callable=lambda states: [state.value for state in states])
    )
    folder: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Double)
    updated_at: Mapped[float] = mapped_column(Double)


class StateRow(Base):
    """An OAuth ``state`` that was used, kept until it would have expired anyway."""

    __tablename__ = 'fsp_states'

    nonce: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[float] = mapped_column(Double, index=True)
