"""Times in answers. A time without a zone is UTC, independently of the zone of the machine."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(text: str) -> float:
    """Return the UNIX seconds of an RFC 1123 date. Raises ValueError for any other text."""
    try:
        return _seconds(parsedate_to_datetime(text))
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError('not a date') from error


def iso_date(text: str) -> float:
    """Return the UNIX seconds of an ISO 8601 date. Raises ValueError for any other text."""
    try:
        return _seconds(datetime.fromisoformat(text))
    except (TypeError, OverflowError) as error:
        raise ValueError('not a date') from error


def _seconds(when: datetime) -> float:
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
