"""The audit log."""

import json
from datetime import datetime

import pytest

from fsp_pyramid.events import FileStored
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[dict]:
    """Return the list of logged lines."""
    caplog.set_level('INFO', 'fsp_pyramid.audit')
    found: list[dict] = []
    emit = caplog.handler.emit

    def parse(record: object) -> None:
        if record.name == 'fsp_pyramid.audit':
            found.append(json.loads(record.getMessage()))
        emit(record)

    caplog.handler.emit = parse  # type: ignore[method-assign]
    return found


def summary(line: dict) -> tuple:
    return tuple(line[key] for key in ('operation', 'path', 'status', 'code', 'bytes', 'calls'))


def test_each_request_is_one_line(client: Beefree, source: Source, lines: list[dict], sandbox: Sandbox) -> None:
    client.get('/')
    client.create('/ä d/')
    client.upload('/ä d/a.png', source.offer(PNG))
    client.get('/ä d/a.png')
    client.move('/ä d/a.png', '/')
    client.delete('/a.png')
    client.delete('/ä d/')
    assert [summary(line) for line in lines] == [
        ('list', '/', 200, None, 0, 1),
        ('create', '/ä d/', 201, None, 0, 1),
        ('upload', '/ä d/a.png', 201, None, len(PNG), 1),
        ('metadata', '/ä d/a.png', 200, None, 0, 0),
        ('move', '/ä d/a.png', 200, None, 0, 1),
        ('delete', '/a.png', 200, None, 0, 1),
        ('delete', '/ä d/', 200, None, 0, 2),
    ]
    assert sum(line['calls'] for line in lines) == len(sandbox.calls)
    for line in lines:
        assert (line['mount'], line['client'], line['client_id'], line['uid']) == ('fsp', '', 'client', 'u1')
        assert datetime.fromisoformat(line['time']).tzinfo is not None


def test_refused_requests_are_logged(client: Beefree, lines: list[dict]) -> None:
    answer = client.get('/none')
    client.get('/a/../b')
    client.request('PUT', '/a')
    client.app.authorization = ('Basic', ('beefree', 'wrong'))
    client.get('/')
    assert [summary(line)[:4] for line in lines] == [
        ('metadata', '/none', 404, 3200),
        ('metadata', None, 400, 3500),
        ('PUT', '/a', 405, 3500),
        ('list', '/', 401, 3650),
    ]
    assert lines[0]['support_id'] in answer.json['details']
    assert lines[3]['uid'] == ''


def test_failed_commit_is_logged_as_an_error(client: Beefree, source: Source, lines: list[dict]) -> None:
    registry = client.app.app.registry

    def fail(event: FileStored) -> None:
        event.request.tm.get().addBeforeCommitHook(lambda: 1 / 0)

    registry.registerHandler(fail, (FileStored,))
    assert client.upload('/a.png', source.offer(PNG)).status_int == 503
    assert summary(lines[0])[:4] == ('upload', '/a.png', 503, 3001)
