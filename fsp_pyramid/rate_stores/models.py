"""Table of the rate store. Migrations bring databases to this state."""

from sqlalchemy import Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..database.base import Base


class PaceRow(Base):
    """Usage of a token.

    :param key: SHA-256 of the token
    :param record: JSON of an egnyte.rate_rules.TokenUsage
    :param changed_at: time of the last write
    """

    __tablename__ = 'fsp_pace'

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    record: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[float] = mapped_column(Double, index=True)
