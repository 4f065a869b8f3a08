"""Responses that waitress would move to a temporary file, which cannot be written."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..timing import PATIENCE, eventually
from .processes import Answer, Server, running

SIZE = 8_000_000
PROGRAM = """
import logging, os, sys, tempfile
from fsp_pyramid.server.graceful import serve

tempfile.tempdir = '/proc'
logging.basicConfig()

def application(environ, start_response):
    if environ['PATH_INFO'] == '/file':
        start_response('200 OK', [('Content-Length', str(os.path.getsize(__file__)))])
        return environ['wsgi.file_wrapper'](open(__file__, 'rb'))
    start_response('200 OK', [('Content-Length', '{size}')])
    return [bytes({size})]

serve(
    application, 1, host='127.0.0.1', port=int(sys.argv[1].removeprefix('--port=')), threads=2,
    outbuf_high_watermark=1 << 28,
)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    program = tmp_path / 'program.py'
    program.write_text(PROGRAM.format(size=SIZE))
    with running('python', program, '--port=', log=tmp_path / 'log') as server:
        yield server


@pytest.mark.parametrize('before', [b'', b'GET /file HTTP/1.1\r\nHost: h\r\n\r\n'], ids=['first', 'after a file'])
def test_response_stays_in_memory_without_room_for_temporary_files(server: Server, before: bytes) -> None:
    with socket.create_connection(('127.0.0.1', server.port), PATIENCE) as connection:
        if before:
            connection.sendall(before)
            assert Answer(connection, 'GET').status == 200
        connection.sendall(b'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
        eventually(lambda: 'the directory of temporary files' in server.log)
        size = 0
        while block := connection.recv(1 << 16):
            size += len(block)
    assert size > SIZE
    assert 'Traceback' not in server.log
