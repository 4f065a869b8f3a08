"""The short version of each campaign. The long ones are run by ``make campaign``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns import (
    clock,
    faults,
    fuzz,
    kills,
    memory,
    outages,
    soak,
)
from campaigns.__main__ import main
from campaigns.effort import QUICK
from campaigns.report import END, update
from campaigns.result import Result
from campaigns.walk import DONE, Change, Walker
from campaigns.world import HOME, World, content_of, start_world

from ..services import missing

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='needs /proc and prlimit')


@pytest.fixture(scope='module')
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield one world for all campaigns, because each process takes more than a second of CPU time to start."""
    with start_world(tmp_path_factory.mktemp('world')) as world:
        yield world


@pytest.fixture
def _redis(redis_process: object) -> None:
    """Skip the test without a Redis."""


@pytest.mark.usefixtures('_redis')
def test_killed_services_lose_no_acknowledged_write(world: World) -> None:
    result = kills.run(world, QUICK)
    assert result.figures['kills'] == QUICK.kills
    assert result.figures['acknowledged writes'] > 0
    assert result.failures == []


def test_answers_under_faults_match_state(world: World) -> None:
    result = faults.run(world, QUICK)
    assert result.figures['faults'] == QUICK.cases
    assert result.figures['answered with success'] > 0
    assert result.figures['answered with an error'] > 0
    assert result.failures == []


@pytest.mark.usefixtures('_redis')
def test_outages_lose_no_write_and_recover(world: World) -> None:
    result = outages.run(world, QUICK)
    assert result.figures['outages'] >= 3
    assert result.figures['acknowledged writes'] > 0
    assert result.failures == []


@pytest.mark.usefixtures('_redis')
def test_random_operations_match_model(world: World) -> None:
    result = fuzz.run(world, QUICK)
    assert result.figures['operations'] >= QUICK.operations
    assert result.figures['listings compared'] >= QUICK.operations
    assert result.failures == []


@pytest.mark.usefixtures('_redis')
def test_everything_mixed_causes_no_failure(world: World) -> None:
    result = soak.run(world, QUICK)
    for name in ('operations', 'thumbnails', 'other requests', 'memory, MB: last quarter'):
        assert result.figures[name] > 0
    assert result.failures == []


def test_memory_of_pictures_and_logins_is_bounded(world: World) -> None:
    result = memory.run(world, QUICK)
    assert result.figures['wrong logins: refused (401)'] > 0
    assert result.failures == []


def test_command_writes_the_figures_of_clock_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        clock.library()
    except clock.NotInstalled as error:
        missing('faketime', error)
    page = tmp_path / 'page.rst'
    page.write_text(END)
    status = main(['clock', '--quick', '--out', str(page)])
    told = capsys.readouterr().out
    assert (status, told.count('\n')) == (0, 1), told
    assert told.startswith('clock (')
    assert f'"steps", "{QUICK.steps}"' in page.read_text().replace('","', '", "')
    assert '**0 broken promises**' in page.read_text()


# Campaigns detect faults


def test_lost_and_damaged_writes_are_detected(world: World) -> None:
    walker = Walker(world.client(world.pair[0], 'w'), world.egnyte, 'w', 1)
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


def test_interrupted_changes_may_lose_no_file() -> None:
    tree = {'/a.png': b'a', '/d': None, '/d/a.png': b'old'}
    move = Change('move', ('/a.png', '/d/', 'replace'), ('/a.png',), {'/d/a.png': b'a'})
    aside = {'/d': None, '/d/a_0a1b2c3d.png': b'old'}
    for stored in (
        tree,
        {'/d': None, '/d/a.png': b'a'},
        aside | {'/a.png': b'a'},
        aside | {'/d/a.png': b'a'},
    ):
        assert stored in [*move.outcomes(tree, stored)]
    for stored in ({'/d': None}, aside, {'/a.png': b'a', '/d': None}, {'/d': None, '/d/a.png': b'old'}):
        assert stored not in [*move.outcomes(tree, stored)]


def test_interrupted_uploads_may_lose_no_file() -> None:
    tree = {'/a.png': b'old'}
    keep = Change('upload', ('/a.png', 'name', 'keep'), (), {'/a.png': b'new'})
    for stored in (tree, tree | {'/a_1.png': b'new'}, tree | {'/a_0a1b2c3d.png': b'new'}):
        assert stored in [*keep.outcomes(tree, stored)]
    for stored in ({'/a.png': b'new'}, {'/a_1.png': b'new'}, tree | {'/b.png': b'new'}):
        assert stored not in [*keep.outcomes(tree, stored)]
    implied = Change('upload', ('/i/a.png', 'name', 'keep'), (), {'/i': None, '/i/a.png': b'new'})
    assert tree | {'/i': None} in [*implied.outcomes(tree, {})]
    assert tree | {'/i/a.png': b'new'} not in [*implied.outcomes(tree, {})]


@pytest.mark.parametrize(('memory', 'descriptors', 'failures'), [(0, 0, 0), (1, 0, 1), (0, 1, 1)])
def test_growth_is_detected(memory: int, descriptors: int, failures: int) -> None:
    result = Result('soak', '', '')
    samples = [(200.0 + memory * number, 60.0 + descriptors * number) for number in range(100)]
    soak.compare(samples, result, judged=True)
    assert len(result.failures) == failures


def test_page_keeps_sections_of_other_campaigns(tmp_path: Path) -> None:
    page = tmp_path / 'page.rst'
    page.write_text(f'before\n{END}after\n')
    first, second = Result('one', 'a promise', 'x, y'), Result('two', 'p', 'm')
    first.count('things, "quoted"', 3)
    update(page, first)
    update(page, second)
    second.fail('something\nin two lines')
    update(page, second)
    text = page.read_text()
    assert text.index('One\n~~~') < text.index('Two\n~~~') < text.index(END)
    assert text.count('Two\n~~~') == 1
    assert '"things, ""quoted""","3"' in text
    assert '**1 broken promise**' in text
    assert r"'something\nin two lines'" in text
    assert text.startswith('before\n')
    assert text.endswith('after\n')
