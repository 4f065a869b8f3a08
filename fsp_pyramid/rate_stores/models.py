"""The table of the ledger. Migrations bring databases to this."""

from sqlalchemy import Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..database.base import Base


class PaceRow(Base):
    """What is known of a token's calls.

    :param key: the SHA-256 of the token
    :param record: JSON of egnyte.slots.Record
    :param changed_at: when it was written
    """

    __tablename__ = 'fsp_pace'

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    record: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[float] = mapped_column(Double, index=True)
