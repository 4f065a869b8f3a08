"""The short version of each campaign. The long ones are run by ``make campaign``."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns import (
    clock,
    faults,
    fuzz,
    kills,
    outages,
)
from campaigns.effort import QUICK
from campaigns.proxy import Mode, proxy
from campaigns.report import BEGIN, END, update
from campaigns.result import Result
from campaigns.walk import DONE, Walker
from campaigns.world import HOME, content_of, start_world

from ..functional.processes import environment
from ..services import missing
from ..timing import PATIENCE

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='needs /proc and prlimit')


@pytest.fixture
def _redis(redis_process: object) -> None:
    """Skip the test without a Redis."""


@pytest.mark.usefixtures('_redis')
def test_killed_services_lose_no_acknowledged_write(tmp_path: Path) -> None:
    result = kills.run(tmp_path, QUICK)
    assert result.figures['kills'] == QUICK.kills
    assert result.figures['acknowledged writes'] > 0
    assert result.figures['lost writes'] == result.figures['locks without an end'] == 0


def test_answers_under_faults_match_state(tmp_path: Path) -> None:
    result = faults.run(tmp_path, QUICK)
    assert result.figures['faults'] >= 8
    # The rollback of a replacing move needs the trash, which only administrators may use.
    assert [line for line in result.failures if not line.startswith('move, replace, ordinary user')] == []


@pytest.mark.usefixtures('_redis')
def test_outages_lose_no_write_and_recover(tmp_path: Path) -> None:
    result = outages.run(tmp_path, QUICK)
    assert result.figures['outages'] >= 9
    assert result.figures['acknowledged writes'] > 0
    assert result.failures == []


def test_clock_steps_cause_no_failure(tmp_path: Path) -> None:
    try:
        clock.library()
    except clock.NotInstalled as error:
        missing('faketime', error)
    result = clock.run(tmp_path, QUICK)
    assert result.figures['steps'] == QUICK.steps
    assert result.failures == []


@pytest.mark.usefixtures('_redis')
def test_random_operations_match_model(tmp_path: Path) -> None:
    result = fuzz.run(tmp_path, QUICK)
    assert result.figures['requests'] >= QUICK.operations
    assert result.failures == []


# Campaigns detect faults


def test_lost_and_damaged_writes_are_detected(tmp_path: Path) -> None:
    with start_world(tmp_path) as world:
        service = world.service()
        walker = Walker(world.client(service, 'w'), world.egnyte, 'w', 1)
        client = walker.client
        for name in ('a', 'b', 'c'):
            assert client.upload(f'/{name}.png', name).status_int in DONE
            walker.tree[f'/{name}.png'] = content_of(name)
        assert walker.settle() == []
        world.egnyte.call('DELETE', f'/pubapi/v1/fs{HOME}/w/a.png')
        world.egnyte.call('POST', f'/pubapi/v1/fs-content{HOME}/w/b.png', b'damaged')
        lost, damaged = walker.settle()
        assert lost.startswith('w/a.png: nothing, not ')
        assert damaged.startswith('w/b.png: 7 bytes ')
        assert walker.settle() == [], 'it goes on from what is there'


def test_proxy_refuses_hangs_and_recovers(tmp_path: Path) -> None:
    with start_world(tmp_path) as world, proxy(world.sandbox.port) as before:
        service = world.service(FSP_EGNYTE_URL=f'http://127.0.0.1:{before.port}', FSP_EGNYTE_TIMEOUT='1')
        for number, mode in enumerate((Mode.REFUSES, Mode.HANGS)):
            client = world.client(service, f'u{number}')
            before.mode = mode
            assert client.get('/').status_int == 503
            before.mode = Mode.WORKS
            assert client.get('/').status_int == 200


def test_table_keeps_rows_of_other_campaigns(tmp_path: Path) -> None:
    page = tmp_path / 'page.rst'
    page.write_text(f'before\n{BEGIN}{END}after\n')
    first, second = Result('one', 'a "promise"', 'x, y'), Result('two', 'p', 'm')
    first.count('things', 3)
    update(page, [first, second])
    second.fail('something')
    update(page, [second])
    rows = list(csv.reader(line.strip() for line in page.read_text().splitlines() if line.startswith('   "')))
    assert [row[:3] for row in rows] == [['one', 'a "promise"', 'x, y'], ['two', 'p', 'm']]
    assert rows[0][3].startswith('things: 3; 0 broken promises')
    assert '1 broken promises' in rows[1][3]
    assert page.read_text().startswith('before\n')
    assert page.read_text().endswith('after\n')


@pytest.mark.usefixtures('_redis')
def test_soak_command_succeeds(tmp_path: Path) -> None:
    page = tmp_path / 'page.rst'
    page.write_text(BEGIN + END)
    command = [sys.executable, '-m', 'campaigns', 'soak', '--quick', '--out', page]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=4 * PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('soak (')
    (row,) = csv.reader(line.strip() for line in page.read_text().splitlines() if line.startswith('   "'))
    assert row[0] == 'soak'
    figures = dict(figure.rsplit(': ', 1) for figure in row[3].partition(';')[0].split(', ') if ': ' in figure)
    for name in ('operations', 'MB: last quarter', 'descriptors: last quarter'):
        assert float(figures[name]) > 0
