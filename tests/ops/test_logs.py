"""Structured logs: any record is one line of JSON, and every field of ours is documented."""

import csv
import io
import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webtest import TestApp

from fsp_pyramid.logs import Event, JSONFormatter
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
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
