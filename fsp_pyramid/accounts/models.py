"""Tables of accounts. Migrations bring databases to this state; a test compares the two."""

from enum import StrEnum

from sqlalchemy import Double, Enum, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..database.base import Base


class State(StrEnum):
    """State of an account."""

    CONNECTED = 'connected'
    EXPIRED = 'expired'  # Egnyte refuses the tokens: the user has to connect again
    DISCONNECTED = 'disconnected'


class AccountRow(Base):
    """Account at Egnyte of one user of one client.

    The row survives a disconnect: its number is in public links, which work again when the user reconnects.

    :param account_key: key of the client's accounts (AccountKey without a number), in the column ``client``
    :param egnyte_url: ``https://acme.egnyte.com``
    :param sealed: encrypted tokens; NULL if there are none to be used
    :param expires_at: end of the access token; NULL if it has none
    :param folder: Egnyte path; NULL if the user picked none
    """

    __tablename__ = 'fsp_accounts'
    __table_args__ = (
        Index('ix_fsp_accounts_owner', 'client', 'client_id', 'uid', unique=True),
        # Otherwise SQLite would reuse the highest number after its row is deleted.
        {'sqlite_autoincrement': True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Both databases compare text case-sensitively by default.
    account_key: Mapped[str] = mapped_column('client', Text)
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
    """Used OAuth ``state``, stored until its expiry."""

    __tablename__ = 'fsp_states'

    nonce: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[float] = mapped_column(Double, index=True)
