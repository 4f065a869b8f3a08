"""Times as text. Inside, a time is UNIX milliseconds."""

from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime


def http_date(milliseconds: int) -> str:
    """RFC 1123, as in headers and in a file's metadata."""
    return formatdate(milliseconds // 1000, usegmt=True)


def parse_http_date(text: str) -> int | None:
    """Return a header's time, None if it is not one."""
    try:
        return _milliseconds(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def iso(milliseconds: int) -> str:
    """ISO 8601 with whole seconds: the trash and search."""
    return f'{_datetime(milliseconds):%Y-%m-%dT%H:%M:%SZ}'


def iso_exact(milliseconds: int) -> str:
    """ISO 8601 with milliseconds: events."""
    return _datetime(milliseconds).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def iso_numeric_zone(milliseconds: int) -> str:
    """ISO 8601 with milliseconds and a numeric zone: notes."""
    return iso_exact(milliseconds).replace('Z', '+0000')


def day(milliseconds: int) -> str:
    """Return a date, as links have it."""
    return f'{_datetime(milliseconds):%Y-%m-%d}'


def parse_iso(text: str) -> int:
    """Parse a date, or a date and time, in UTC if it has no zone. Raises ValueError."""
    return _milliseconds(datetime.fromisoformat(text))


def _datetime(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(time: datetime) -> int:
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
