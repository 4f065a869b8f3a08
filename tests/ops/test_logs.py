"""Structured logs: any record is one line of JSON, and every field of ours is documented."""

import csv
import io
import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from select import PIPE_BUF
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webtest import TestApp

from fsp_pyramid.logs import BufferedHandler, Event, JSONFormatter
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..timing import PATIENCE
from .conftest import CALLER

Make = Callable[..., TestApp]
PNG = b'\x89PNG\r\n\x1a\n' + b'p' * 100
DOCS = Path(__file__).parents[2] / 'docs'


def line(message: Any, *arguments: Any, **more: Any) -> dict[str, Any]:
    """Return the parsed line of a record, through a real logger and handler."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    logger = logging.Logger('some.logger')
    logger.addHandler(handler)
    logger.warning(message, *arguments, **more)
    text = stream.getvalue()
    assert text.isascii()
    assert (text.count('\n'), text[-1]) == (1, '\n')
    return json.loads(text, parse_constant=pytest.fail)


def test_message_is_one_json_object() -> None:
    found = line('%s went\nwrong', 'ä')
    assert datetime.fromisoformat(found.pop('time')).tzinfo is not None
    assert found == {'level': 'WARNING', 'logger': 'some.logger', 'message': 'ä went\nwrong'}


def test_extra_fields_are_kept_and_never_replace_standard_ones() -> None:
    circle: list[Any] = []
    circle.append(circle)
    found = line('x', extra={'status': 200, 'path': Path('/a'), 'level': 'mine', 'circle': circle, 'nan': float('nan')})
    assert (found['status'], found['level'], found['nan']) == (200, 'WARNING', 'nan')
    assert found['path'] == "PosixPath('/a')"
    assert line('x', extra={'path': Path('/a')})['path'] == '/a'


def test_exception_is_text() -> None:
    try:
        int('of\nlines')
    except ValueError:
        found = line('x', exc_info=True, stack_info=True)
    assert found['exception'].startswith('Traceback')
    assert found['exception'].endswith("ValueError: invalid literal for int() with base 10: 'of\\nlines'")
    assert found['stack'].startswith('Stack')
    assert 'exception' not in line('x', exc_info=sys.exc_info())


def test_event_becomes_fields_and_not_json_in_json() -> None:
    event = Event(status=200, path='/ä\n', level='mine')
    found = line(event)
    assert (found['status'], found['path'], found['logger']) == (200, '/ä\n', 'some.logger')
    assert 'message' not in found
    # Without the formatter it is a line, too.
    assert json.loads(str(event)) == event
    assert '\n' not in str(event)


class Stream(io.StringIO):
    """A stream that records its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []
        self.written = threading.Event()

    def write(self, text: str) -> int:
        """Record a write."""
        self.writes.append(text)
        self.written.set()
        return len(text)


def event(number: int, *, may_wait: bool) -> Event:
    """Return an event with one field."""
    made = Event(number=number)
    made.may_wait = may_wait
    return made


@pytest.fixture
def buffered() -> tuple[logging.Logger, BufferedHandler, Stream]:
    """Return a logger, its handler, and the stream behind that."""
    stream = Stream()
    handler, logger = BufferedHandler(stream), logging.Logger('audit')
    logger.addHandler(handler)
    return logger, handler, stream


def test_lines_that_may_wait_are_written_together(buffered: tuple[logging.Logger, BufferedHandler, Stream]) -> None:
    logger, handler, stream = buffered
    with handler.write_lock:  # the other thread writes when this one is done
        for number in range(3):
            logger.info(event(number, may_wait=True))
        assert stream.writes == []
    assert stream.written.wait(PATIENCE)
    assert stream.writes == ['{"number": 0}\n{"number": 1}\n{"number": 2}\n']


def test_line_that_may_not_wait_is_written_at_once_after_earlier_ones(
    buffered: tuple[logging.Logger, BufferedHandler, Stream],
) -> None:
    logger, handler, stream = buffered
    with handler.write_lock:
        logger.info(event(0, may_wait=True))
        logger.info(event(1, may_wait=False))
        logger.info('text')
        assert stream.writes == ['{"number": 0}\n', '{"number": 1}\n', 'text\n']
        logger.info(event(2, may_wait=True))
    handler.flush()
    assert stream.writes[3:] == ['{"number": 2}\n']


def test_lines_are_written_at_the_end_of_a_process() -> None:
    code = (
        'import logging; from fsp_pyramid.logs import BufferedHandler, Event; '
        'log = logging.getLogger("audit"); log.setLevel("INFO"); log.addHandler(BufferedHandler()); '
        'event = Event(number=1); event.may_wait = True; log.info(event)'
    )
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert ended.stderr == '{"number": 1}\n'


def test_line_is_written_at_once_if_no_thread_can_be_started(
    buffered: tuple[logging.Logger, BufferedHandler, Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, 'start', start)
    logger, _, stream = buffered
    logger.info(event(1, may_wait=True))
    assert stream.writes == ['{"number": 1}\n']


def test_number_of_waiting_lines_is_bounded(
    buffered: tuple[logging.Logger, BufferedHandler, Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request waits for a reader that stalls, as without a buffer, before the memory is full."""
    monkeypatch.setattr('fsp_pyramid.logs.MOST', 3)
    logger, handler, stream = buffered
    with handler.write_lock:
        for number in range(5):
            logger.info(event(number, may_wait=True))
        assert stream.writes == ['{"number": 0}\n{"number": 1}\n{"number": 2}\n']
    handler.flush()


def test_writes_are_of_whole_lines_and_fit_into_a_pipe(
    buffered: tuple[logging.Logger, BufferedHandler, Stream],
) -> None:
    logger, handler, stream = buffered
    with handler.write_lock:
        for _ in range(9):
            made = Event(text='x' * 1000)
            made.may_wait = True
            logger.info(made)
        handler.flush()
    assert [text.count('\n') for text in stream.writes] == [4, 4, 1]
    assert all(len(text) <= PIPE_BUF and text.endswith('\n') for text in stream.writes)
    assert len(''.join(stream.writes).splitlines()) == 9


@pytest.mark.parametrize('forks', [True, False])
def test_process_writes_its_own_lines(forks: bool) -> None:
    code = f"""
import logging, os, sys
from fsp_pyramid.logs import BufferedHandler, Event

log = logging.getLogger('audit')
log.setLevel('INFO')
log.addHandler(handler := BufferedHandler(sys.stdout))

def write(number):
    event = Event(number=number)
    event.may_wait = True
    log.info(event)

handler.write_lock.acquire()  # no other thread writes
write(1)
if {forks} and (child := os.fork()) == 0:
    write(2)
    logging.shutdown()
    os._exit(0)
if {forks}:
    os.waitpid(child, 0)
"""
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert ended.stdout == ('{"number": 2}\n' if forks else '') + '{"number": 1}\n'


def test_text_that_cannot_be_written_loses_no_other_line(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: list[logging.LogRecord] = []
    monkeypatch.setattr(BufferedHandler, 'handleError', lambda _self, record: failed.append(record))
    written = io.BytesIO()
    handler, logger = BufferedHandler(io.TextIOWrapper(written, 'utf-8')), logging.Logger('audit')
    logger.addHandler(handler)
    logger.info(event(1, may_wait=True))
    logger.info('\ud800')
    logger.info(event(2, may_wait=False))
    assert [record.getMessage() for record in failed] == ['\ud800']
    assert written.getvalue() == b'{"number": 1}\n{"number": 2}\n'


@pytest.mark.parametrize('may_wait', [False, True])
def test_failure_of_the_stream_is_reported_and_stops_no_request(
    may_wait: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    monkeypatch.setattr(BufferedHandler, 'handleError', lambda _self, _record: failed.set())
    stream = io.StringIO()
    stream.close()
    handler, logger = BufferedHandler(stream), logging.Logger('audit')
    logger.addHandler(handler)
    logger.info(event(1, may_wait=may_wait))
    assert failed.wait(PATIENCE)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers() | st.binary(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.text(), st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_record_is_one_line(message: str, fields: dict[str, Any]) -> None:
    fields = {f'f{name}': value for name, value in fields.items()}
    found = line(message.replace('%', '%%'), extra=fields)
    assert {'time', 'level', 'logger', 'message', *fields} == set(found)
    assert {'time', 'level', 'logger', *fields} == set(line(Event(fields)))


# The lines of requests


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that returns the lines of a log so far."""
    caplog.set_level('INFO', 'fsp_pyramid')

    def read(log: str) -> list[dict[str, Any]]:
        return [json.loads(each.getMessage()) for each in caplog.records if each.name == f'fsp_pyramid.{log}']

    return read


def test_requests_without_a_mount_go_to_the_access_log(
    make: Make, source: Source, lines: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = make()
    stored = app.post_json('/fsp/a.png', {'source': source.offer(PNG)}, headers=CALLER)
    url = stored.json['data']['meta']['public-url'].removeprefix('http://localhost:6543')
    app.get(url)
    app.get(f'{url[:20]}x/a.png', status=404)
    app.post(url, status=405)
    app.get('/fsp-ops/health')
    found = [(entry['operation'], entry['method'], entry['status'], entry['code']) for entry in lines('access')]
    assert found == [
        ('fsp_public', 'GET', 200, None),
        ('fsp_public', 'GET', 404, 3200),
        ('fsp_public', 'POST', 405, 3500),
    ]
    token = url.split('/')[2]
    assert token not in '\n'.join(record.getMessage() for record in caplog.records)


def test_only_lines_of_successful_reads_may_wait(make: Make, source: Source, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid')
    app = make(console__local='true')
    stored = app.post_json('/fsp/a.png', {'source': source.offer(PNG)}, headers=CALLER)
    app.get('/fsp/', headers=CALLER)
    app.get('/fsp/a.png', headers=CALLER)
    app.get('/fsp/b.png', headers=CALLER, status=404)
    app.get(stored.json['data']['meta']['public-url'].removeprefix('http://localhost:6543'))
    app.get('/fsp-public/x/y', status=404)
    app.get('/fsp-console')
    app.delete('/fsp/a.png', headers=CALLER)
    found = [(record.msg['operation'], record.msg.may_wait) for record in caplog.records if type(record.msg) is Event]
    assert found == [
        ('upload', False),
        ('list', True),
        ('metadata', True),
        ('metadata', False),
        ('fsp_public', True),
        ('fsp_public', False),
        ('fsp_console', False),
        ('delete', False),
    ]


def test_line_has_waits_and_seconds(make: Make, lines: Any, sandbox: Sandbox) -> None:
    app = make()
    sandbox.fail({'status': 429, 'retry_after': 1, 'times': 1})
    app.get('/fsp/', headers=CALLER)
    (found,) = lines('audit')
    assert found['calls'] == 2
    assert 0.5 < found['waits'] <= found['seconds'] < 20


def test_documented_fields_are_those_of_the_lines(make: Make, lines: Any) -> None:
    app = make()
    app.get('/fsp/', headers=CALLER)
    app.get('/fsp-public/x/y', status=404)
    page = (DOCS / 'operations.rst').read_text()
    body = re.search(r'   :header: Field.*\n(?:   :.*\n)*\n((?:   .*\n)+)', page)
    assert body
    rows = [(name.strip('`'), where) for name, where, _ in csv.reader(body[1].splitlines(), skipinitialspace=True)]
    for log in ('audit', 'access'):
        (found,) = lines(log)
        assert list(found) == [name for name, where in rows if where in {'both', log}]
    shown = re.search(r'``fsp_pyramid.audit``::\n\n(.*?\})\n', page, re.DOTALL)
    assert shown
    assert list(json.loads(shown[1])) == list(lines('audit')[0])


def test_both_logs_can_be_switched_off(make: Make, lines: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('WARNING', 'fsp_pyramid')
    app = make()
    app.get('/fsp/', headers=CALLER)
    app.get('/fsp-public/x/y', status=404)
    assert lines('audit') + lines('access') == []
