"""README and quickstart: their commands and the application are executed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from webtest import TestApp

from fsp_pyramid.settings.server import VARIABLES

from .functional.processes import serving
from .timing import PATIENCE

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.rst').read_text()
QUICKSTART = (ROOT / 'docs/quickstart.rst').read_text()
END = '-- end of block --'


class Step(NamedTuple):
    """Commands, and the response that is shown for them, or ''."""

    commands: str
    answer: str


def blocks(text: str, *languages: str) -> Iterator[tuple[str, str]]:
    """Yield language and dedented text of each code block."""
    pattern = rf'^\.\. code-block:: ({"|".join(languages)})\n\n((?:    .*\n|\n)+)'
    for language, body in re.findall(pattern, text, re.MULTILINE):
        yield language, re.sub(r'^    ', '', body, flags=re.MULTILINE).strip() + '\n'


def quickstart() -> list[Step]:
    steps: list[Step] = []
    for language, body in blocks(QUICKSTART, 'sh', 'text'):
        if language == 'sh':
            steps.append(Step(body, ''))
        else:
            steps[-1] = steps[-1]._replace(answer=body)
    return steps


def squeezed(text: str) -> str:
    return ''.join(text.split())


def shown(answer: str, documented: str) -> bool:
    """Return whether *answer* matches: white space is ignored, and ``...`` matches anything."""
    parts = map(re.escape, squeezed(documented).split('...'))
    return re.fullmatch('.*'.join(parts), squeezed(answer), re.DOTALL) is not None


def run(steps: list[Step], port: int, directory: Path) -> list[str]:
    """Return the output of each step. One shell runs all, because later commands use variables of earlier ones."""
    script = f'echo "{END}"\n'.join(step.commands for step in steps).replace(':6543', f':{port}')
    # Without the proxy settings and ~/.curlrc of the developer.
    environ = {'PATH': os.environ['PATH'], 'HOME': str(directory), 'LC_ALL': 'C.UTF-8'}
    done = subprocess.run(
        ['bash', '-e', '-c', script],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ''), done
    return done.stdout.replace(f':{port}', ':6543').split(f'{END}\n')


@pytest.mark.usefixtures('curl')
def test_quickstart_shows_the_real_responses_twice(tmp_path: Path) -> None:
    steps = quickstart()
    assert len(steps) > 15
    with serving(Path(shutil.copy(ROOT / 'development.ini', tmp_path))) as server:
        answers = run(steps, server.port, tmp_path)
        again = run(steps, server.port, tmp_path)
    for step, first, second in zip(steps, answers, again, strict=True):
        assert shown(first, step.answer), f'{step.commands}\n{first}'
        assert shown(second, step.answer), f'second run: {step.commands}\n{second}'
    assert (tmp_path / 'welcome.jpg').read_bytes().startswith(b'\xff\xd8\xff')


@pytest.mark.usefixtures('curl')
def test_six_lines_of_the_readme_work(tmp_path: Path) -> None:
    ((_, commands),) = blocks(README, 'sh')
    definition, *lines = commands.splitlines()
    assert len(lines) == 6
    with serving(Path(shutil.copy(ROOT / 'development.ini', tmp_path))) as server:
        answers = run([Step(f'{line}\n', '') for line in (definition, *lines)], server.port, tmp_path)
    shown_answers = [answer for answer in answers if answer]
    assert [answer.count('"status": "success"') for answer in shown_answers] == [1, 1, 1, 1, 2]
    assert '"/Hello.jpg"' in shown_answers[3]


@pytest.mark.parametrize(
    ('answer', 'documented', 'fits'),
    [
        ('{"a": 1, "b": 2}', '{"a": 1,\n  "b": 2}', True),
        ('{"a": 1, "b": 2}', '{"a": 1, ...}', True),
        ('{"a": 1, "b": 2}', '{"a": 1}', False),
        ('{"a": 1, "b": 2}', '{"b": 2, ...}', False),
        ('{"a": 1, "b": 2}', '', False),
    ],
)
def test_comparison_of_responses(answer: str, documented: str, fits: bool) -> None:
    assert shown(answer, documented) is fits


def test_quickstart_shows_every_operation_and_strategy() -> None:
    commands = ''.join(step.commands for step in quickstart())
    assert set(re.findall(r'-X (\w+)', commands)) == {'POST', 'DELETE', 'PATCH'}
    assert set(re.findall(r'conflict_strategy\\": \\"(\w+)', commands)) == {'keep', 'replace', 'ask'}
    assert 'X-BEE-fsp-flags:move' in commands
    # Each line works alone, because readers copy single lines.
    lines = commands.replace('\\\n', ' ').splitlines()
    assert [line for line in lines if not re.match(r'((PICTURE|THUMBNAIL)=\$\()?curl -s', line)] == []


def test_application_of_the_readme_works(tmp_path: Path) -> None:
    ((_, source),) = blocks(README, 'python')
    namespace: dict[str, object] = {}
    exec(compile(source, 'README.rst', 'exec'), namespace)  # unchanged
    settings = {
        'fsp.username': 'beefree',
        'fsp.password': 'beefree',
        'fsp.egnyte.url': f'sandbox:{tmp_path}',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
    }
    app = TestApp(namespace['main']({}, **settings))
    headers = {'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'demo'}
    app.authorization = ('Basic', ('beefree', 'beefree'))
    assert app.get('/fsp/', headers=headers).json['data']['meta']['item-count'] == 3


def test_make_commands_are_targets() -> None:
    makefile = (ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'^ +make (\w+)|``make (\w+)``', README, re.MULTILINE))
    assert {''.join(target) for target in targets} == {'serve', 'test', 'docs', 'bench'}
    for target in map(''.join, targets):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_mentioned_files_exist() -> None:
    places = re.findall(r'``((?:docs|examples|benchmarks)/[\w./-]*|\w+\.(?:ini|rst))``', README)
    places += re.findall(r'^\.\. image:: (.*)$', README, re.MULTILINE)
    assert len(places) > 6
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_exported_variables_match_production_ini() -> None:
    section = (ROOT / 'docs/egnyte.rst').read_text().split('\nStart with it\n')[1].split('\nLimits\n')[0]
    needed = (ROOT / 'production.ini').read_text().partition('[DEFAULT]')[0]
    exported = re.findall(r'export (FSP_\w+)=', section)
    assert set(exported) == set(re.findall(r'FSP_[A-Z_]+', needed)) - {'FSP_A_B_C', *VARIABLES}
