"""Times in answers. A time without a zone is UTC, independently of the zone of the machine."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# What Egnyte writes. A listing has a thousand of them, and parsing other forms takes eight times as long.
_USUAL = re.compile(r'[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT', re.ASCII)
_NAMES = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}


def http_date(text: str) -> float:
    """Return the UNIX seconds of an RFC 1123 date. Raises ValueError for any other text."""
    usual = _USUAL.fullmatch(text)
    if usual and usual[2] in _MONTHS:
        day, month, year, hour, minute, second = usual.groups()
        return datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
        ).timestamp()
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
