"""The command ``fsp-sandbox``, as a process."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from fsp_pyramid.scripts.sandbox import main

from ..timing import PATIENCE


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a sandbox in a process of its own, and its URL."""
    code = 'from fsp_pyramid.scripts.sandbox import main; main()'
    command = [sys.executable, '-c', code, '--port', '0', '--root', str(root), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r'http://\S+', process.stdout.readline()).group()
            yield process, url
        finally:
            process.kill()


def test_it_serves_and_says_where(tmp_path: Path) -> None:
    with serving(tmp_path / 'egnyte', '--qps', '1') as (process, url):
        printed = ''.join(process.stdout.readline() for _ in range(4))
        assert 'token sandbox-alice' in printed
        assert 'API key sandbox-key, secret sandbox-secret' in printed
        with requests.Session() as session:
            session.headers['Authorization'] = 'Bearer sandbox'
            first = session.get(f'{url}/pubapi/v1/fs/Shared', timeout=PATIENCE)
            assert first.status_code == 200
            assert first.headers['X-Accesstoken-Qps-Allotted'] == '1'
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize('arguments', [['--root', 'x', '--qps', '0'], ['--root', 'x', '--throttle', 'loud'], []])
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert 'fsp-sandbox' in capsys.readouterr().err
