"""Structured logs: a line of JSON for each record, whoever made it."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

# What every record has; the rest came as ``extra``.
_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {'message', 'asctime', 'taskName'}


class Event(dict[str, Any]):
    """A message that is made of fields: ``log.info(Event(status=200))``.

    As text it is one JSON object, so a plain ``%(message)s`` gives a line of JSON; :class:`JSONFormatter` takes the
    fields themselves.
    """

    def __str__(self) -> str:
        return _json(self)


class JSONFormatter(logging.Formatter):
    """A record as one line of JSON, in ASCII: ``class = fsp_pyramid.logs.JSONFormatter`` in an ini file.

    Fields are ``time`` (UTC), ``level``, ``logger`` and ``message``; ``exception`` and ``stack`` as text where there
    are any; and whatever came as ``extra``. An :class:`Event` has its own fields in the place of ``message``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break."""
        line = {'time': timestamp(record.created), 'level': record.levelname, 'logger': record.name}
        line |= record.msg if isinstance(record.msg, Event) else {'message': record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            line['exception'] = self.formatException(record.exc_info)
        if record.stack_info:
            line['stack'] = self.formatStack(record.stack_info)
        extra = {name: value for name, value in record.__dict__.items() if name not in _USUAL | line.keys()}
        return _json(line | extra)


def timestamp(seconds: float) -> str:
    """UNIX seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds')


def _json(fields: dict[str, Any]) -> str:
    try:
        return json.dumps(fields, default=str, allow_nan=False)
    except (ValueError, TypeError, RecursionError):  # no JSON knows it: not a number, a circle, odd keys
        return json.dumps({str(name): _plain(value) for name, value in fields.items()})


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else repr(value)
