"""``fsp-sandbox``: options that cannot work, and addresses that are not free."""

import socket
from pathlib import Path

import pytest

from fsp_pyramid.scripts.sandbox import main

from ..functional.processes import run


@pytest.mark.parametrize(
    ('option', 'said'),
    [
        ('--port=-1', 'write a whole number from 0 to 65535'),
        ('--port=99999', 'write a whole number from 0 to 65535'),
        ('--port=x', 'write a whole number from 0 to 65535'),
        ('--latency=-1', 'write a number of seconds from 0 to 3600'),
        ('--latency=nan', 'write a number of seconds from 0 to 3600'),
        ('--latency=inf', 'write a number of seconds from 0 to 3600'),
        ('--latency=soon', 'write a number of seconds from 0 to 3600'),
        (f'--root={__file__}', 'is no directory that can be written to'),
        (f'--root={__file__}/below', 'is no directory that can be written to'),
        ('--root=', 'is no directory that can be written to'),
    ],
)
def test_bad_option_is_refused(option: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['--root', str(tmp_path), option])
    assert said in capsys.readouterr().err


def test_unknown_host_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--root', str(tmp_path), '--host', 'nope.invalid']) == 1
    assert '--host nope.invalid: there is no such address' in capsys.readouterr().err


def test_taken_port_is_reported(tmp_path: Path) -> None:
    """In a process of its own, because waitress does not close the socket."""
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        done = run('fsp-sandbox', '--root', tmp_path, f'--port={port}')
    assert done.returncode == 1
    assert f'No server can listen at 127.0.0.1, port {port}: Address already in use' in done.stderr
    assert 'Traceback' not in done.stderr
