"""Certification page: the commands of its throttling demonstration produce the documented output."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .functional.processes import running, serving
from .test_readme import blocks, shown
from .timing import PATIENCE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / 'docs' / 'certification.rst').read_text()


def options_of(command: str) -> list[str]:
    """Return the options of *command* in the page's first block."""
    _, block = next(blocks(PAGE, 'sh'))
    return block.split(f'bin/{command} ')[1].splitlines()[0].split()


def exported() -> dict[str, str]:
    """Return the variables of the second terminal."""
    _, block = next(blocks(PAGE, 'sh'))
    words = [word for line in block.splitlines() if line.startswith('export ') for word in line.split()[1:]]
    return dict(word.split('=', 1) for word in words)


@pytest.mark.usefixtures('curl')
def test_demonstration_produces_the_documented_output(tmp_path: Path) -> None:
    options = [str(tmp_path / 'egnyte') if word.startswith('var/') else word for word in options_of('fsp-sandbox')]
    sandbox = running('fsp-sandbox', *options, '--port=', log=tmp_path / 'sandbox.log')
    ini = Path(shutil.copy(ROOT / 'development.ini', tmp_path))
    with sandbox as egnyte:
        variables = exported() | {'FSP_EGNYTE_URL': f'http://127.0.0.1:{egnyte.port}'}
        with serving(ini, **variables) as backend:
            steps = blocks(PAGE.split('.. demonstration\n')[1].split('.. demonstration ends')[0], 'sh', 'text')
            for (_, commands), (_, answer) in zip(steps, steps, strict=True):
                ours = commands.replace(':7700', f':{egnyte.port}').replace(':6543', f':{backend.port}')
                environ = {'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'LC_ALL': 'C.UTF-8'}
                done = subprocess.run(
                    ['bash', '-e', '-c', ours],
                    cwd=tmp_path,
                    env=environ,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                assert (done.returncode, done.stderr) == (0, '')
                assert shown(done.stdout, answer), f'{commands}\n{done.stdout}'


def test_page_uses_the_shipped_ini() -> None:
    assert options_of('pserve') == ['development.ini']
