"""Structured logs: one line of JSON for each record, a handler that writes many at once, and a filter of tokens."""

import json
import logging
import os
import re
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from select import PIPE_BUF
from typing import Any, TextIO
from urllib.parse import quote

# Attributes of every record; all others came as ``extra``.
_USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {'message', 'asctime', 'taskName'}
_encode = json.JSONEncoder(default=str, allow_nan=False).encode
# Seconds that a line may wait in a BufferedHandler, and the number of lines, for a reader of the log that stalls.
DELAY, MOST = 0.1, 10_000


class Event(dict[str, Any]):
    """Log message that consists of fields: ``log.info(Event(status=200))``.

    As text it is one JSON object, so a plain ``%(message)s`` gives a line of JSON; :class:`JSONFormatter` takes the
    fields themselves.

    :ivar may_wait: True if the line may be written a moment later, and be lost if the process is killed meanwhile
    """

    may_wait = False

    def __str__(self) -> str:
        return _json(self)


class JSONFormatter(logging.Formatter):
    """Format records as one line of JSON, in ASCII: ``class = fsp_pyramid.logs.JSONFormatter`` in an ini file.

    Fields are ``time`` (UTC), ``level``, ``logger`` and ``message``; ``exception`` and ``stack`` as text if the record
    has them; and the fields of ``extra``. The fields of an :class:`Event` replace ``message``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break."""
        event = record.msg if isinstance(record.msg, Event) else {'message': record.getMessage()}
        time = event.get('time') or timestamp(record.created)
        line = {'time': time, 'level': record.levelname, 'logger': record.name} | event
        if record.exc_text:
            line['exception'] = record.exc_text
        elif record.exc_info and record.exc_info[0] is not None:
            line['exception'] = self.formatException(record.exc_info)
        if record.stack_info:
            line['stack'] = self.formatStack(record.stack_info)
        extra = record.__dict__.keys() - _USUAL - line.keys()
        return _json(line | {name: record.__dict__[name] for name in sorted(extra)} if extra else line)


class BufferedHandler(logging.StreamHandler[TextIO]):
    """Handler that writes the lines of events that may wait together, after :data:`DELAY`, and all others at once.

    ``class = fsp_pyramid.logs.BufferedHandler`` in an ini file. Each write lets other threads run first, which takes
    longer than a response from memory. The order of lines is that of the records.

    :ivar write_lock: held by the thread that writes
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.forget()
        # The other process writes them.
        os.register_at_fork(after_in_child=partial(_forget_lines, weakref.ref(self)))

    def forget(self) -> None:
        """Forget the lines that wait."""
        self._waiting, self._is_scheduled = deque[str](), False
        # The timer needs no other lock, so that requests add lines while it writes.
        self.write_lock = threading.RLock()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or keep its line for a moment."""
        if getattr(record.msg, 'may_wait', False):
            self._keep(record)
            return
        with self.write_lock:
            self._write(record)
            super().emit(record)

    def flush(self) -> None:
        """Write all lines."""
        with self.write_lock:
            self._is_scheduled = False  # first: a line that comes now starts a timer of its own
            for text in _grouped(self._waiting):
                self.stream.write(text)
                self.stream.flush()
            self.stream.flush()

    def _keep(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.append(self.format(record) + self.terminator)
            if len(self._waiting) >= MOST:
                self.flush()
            elif not self._is_scheduled:
                self._schedule(record)
        except Exception:  # noqa: BLE001 - as in logging.StreamHandler
            self.handleError(record)

    def _schedule(self, record: logging.LogRecord) -> None:
        timer = threading.Timer(DELAY, self._write, (record,))
        timer.daemon = True  # at the end of a process, logging flushes its handlers
        self._is_scheduled = True
        try:
            timer.start()
        except RuntimeError:  # no thread can be started
            self.flush()

    def _write(self, record: logging.LogRecord) -> None:
        """Write the lines that wait. *record* stands for them if that fails."""
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - as in logging.StreamHandler
            self.handleError(record)


def _grouped(lines: deque[str]) -> Iterator[str]:
    """Take lines, and join them. Longer writes may be torn apart where several processes share a pipe."""
    group = ''
    while lines:
        line = lines.popleft()
        if group and len(group) + len(line) > PIPE_BUF:
            yield group
            group = ''
        group += line
    if group:
        yield group


def _forget_lines(reference: weakref.ref[BufferedHandler]) -> None:
    handler = reference()
    if handler is not None:
        handler.forget()


class TokenFilter(logging.Filter):
    """Mask the paths below *path*, and their queries, in records of servers: such a URL is a credential.

    ``/fsp-public/TOKEN/pic.png`` becomes ``/fsp-public/-``, and the rest of the message or traceback is cut off.
    Records are never dropped.

    :param path: of public files or of the connect pages, with any ``route_prefix``
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        # Servers log paths as WSGI has them, or as they came.
        forms = '|'.join(re.escape(form) for form in {path, path.encode().decode('latin-1'), quote(path)})
        self._pattern = re.compile(rf'({forms})[/?].*', re.DOTALL)

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; return True."""
        record.msg, record.args = self._masked(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._masked(record.exc_text)
        return True

    def _masked(self, text: str) -> str:
        return self._pattern.sub(r'\1/-', text)


def mask_tokens(path: str, logger: str = 'waitress') -> None:
    """Keep tokens of URLs below *path* out of *logger*. Its level and handlers stay as they are."""
    server = logging.getLogger(logger)
    if not any(isinstance(known, TokenFilter) and known.path == path for known in server.filters):
        server.addFilter(TokenFilter(path))


def timestamp(seconds: float) -> str:
    """Return UNIX seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds')


def _json(fields: dict[str, Any]) -> str:
    try:
        return _encode(fields)
    except (ValueError, TypeError, RecursionError):  # not serializable: NaN, cycles, unusual keys
        return json.dumps({str(name): _plain(value) for name, value in fields.items()})


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else repr(value)
