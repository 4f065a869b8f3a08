"""Tests of ``fsp-warm`` as a command."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fsp_pyramid import main as make_app
from fsp_pyramid.scripts.warm import main
from fsp_pyramid.testing import Sandbox

from ..imaging.pictures import picture
from ..protocol.beefree import Beefree

INI = """
[app:main]
use = egg:fsp-pyramid
fsp.username = beefree
fsp.password = secret-password
fsp.egnyte.url = sandbox:{here}/egnyte
fsp.folders = / /Shared/{{uid}}
fsp.public.cache_dir = {here}/cache
tm.manager_hook = pyramid_tm.explicit_manager
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
"""


@pytest.fixture
def ini(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    for name in ('anna', 'anna/deep'):
        sandbox.api('POST', f'/pubapi/v1/fs/Shared/{name}', json={'action': 'add_folder'})
    for name, content in (
        ('a.txt', b'text'), ('b.png', picture()), ('c.png', b'none'), ('deep/d.jpg', picture(kind='JPEG')),
    ):  # fmt: skip
        sandbox.upload(f'/Shared/anna/{name}', content)
    sandbox.forget_calls()
    path = tmp_path / 'warm.ini'
    path.write_text(INI.format(here=tmp_path))
    return path


def test_all_files_are_cached_afterwards(ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 0
    output = capsys.readouterr()
    assert output.out == '4 files were fetched or drawn, 4 of 4 are here, 6 calls.\n'
    assert output.err == '', 'no bar where nobody looks'
    assert len(sandbox.calls) == 6, 'two listings and four contents'

    settings = {'fsp.username': 'beefree', 'fsp.password': 'secret-password', 'fsp.folders': '/ /Shared/{uid}'}
    here = ini.parent
    places = {'fsp.egnyte.url': f'sandbox:{here}/egnyte', 'fsp.public.cache_dir': f'{here}/cache'}
    client = Beefree(make_app({}, **settings, **places), uid='anna')
    items = [item for path in ('/', '/deep/') for item in client.get(path).json['data']['items']]
    sandbox.forget_calls()
    for item in items:
        for which in ('public-url', 'thumbnail'):
            if which in item:
                expected = 404 if (which, item['name']) == ('thumbnail', 'c.png') else 200
                assert client.public(item[which]).status_int == expected
    assert sandbox.calls == []


def test_exhausted_budget_is_continued_by_the_next_run(
    ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(ini), '/', '--budget', '3', '--uid', 'anna']) == 3
    output = capsys.readouterr().out
    assert output.startswith('2 files were fetched or drawn, 2 of 3 are here, 3 calls.\nThe budget is used up.')
    assert len(sandbox.calls) == 3
    assert [call for call in sandbox.calls if 'fs-content' in call], 'pictures come first'
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 0
    assert capsys.readouterr().out == '2 files were fetched or drawn, 4 of 4 are here, 4 calls.\n'
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 0
    assert capsys.readouterr().out == '0 files were fetched or drawn, 4 of 4 are here, 2 calls.\n'


@pytest.mark.parametrize(
    ('change', 'words', 'complaint'),
    [
        (lambda text: text, ['/none/'], 'Resource not found: "none" does not exist'),
        (lambda text: text, ['/../'], 'Bad path'),
        (lambda text: text, ['/', '--client', 'x'], 'no mount "fsp" with a client "x"'),
        (lambda text: text.replace('fsp.public.cache_dir', '# '), ['/'], 'fsp.public.cache_dir is not set'),
    ],
)
def test_failures_are_reported(
    ini: Path, change: Callable[[str], str], words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ini.write_text(change(ini.read_text()))
    assert main([str(ini), *words, '--budget', '9', '--uid', 'anna']) == 1
    assert complaint in capsys.readouterr().err


def test_unusable_cache_directory_is_reported(ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    file = ini.parent / 'cache'
    file.write_text('a file')
    assert main([str(ini), '/', '--budget', '9', '--uid', 'anna']) == 1
    assert f'fsp.public.cache_dir: {file} cannot be written to: Not a directory.' in capsys.readouterr().err
    assert sandbox.calls == []


@pytest.mark.parametrize('option', ['--uid', '--client-id'])
@pytest.mark.parametrize('value', ['ä', 'a b', 'a@b', '', 'x' * 201])
def test_ids_that_beefree_never_sends_are_refused(
    ini: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([str(ini), '/', '--budget', '9', option, value])
    assert f'{option}: write 1 to 200 letters of ASCII' in capsys.readouterr().err


def test_missing_ini_file_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['/nowhere.ini', '/', '--budget', '9']) == 1
    assert capsys.readouterr().err == 'There is no file /nowhere.ini.\n'


def test_failing_egnyte_stops_the_run(ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.fail({'status': 503, 'times': 100, 'path_prefix': '/pubapi'})
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 3
    assert 'Storage unavailable' in capsys.readouterr().err


def test_refused_file_does_not_stop_the_others(ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    file = sandbox.upload('/Shared/anna/0.png', picture())
    sandbox.fail({'status': 403, 'times': 1, 'path_prefix': f'/pubapi/v1/fs-content/ids/file/{file["group_id"]}'})
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 0
    assert capsys.readouterr().out == '4 files were fetched or drawn, 4 of 5 are here, 7 calls.\n'


@pytest.mark.parametrize('budget', ['-1', '1.5', 'many', '٣', ''])
def test_invalid_budget_is_refused(ini: Path, budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([str(ini), '/', f'--budget={budget}', '--uid', 'anna'])
    assert 'write a whole number, 0 or more' in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal(
    ini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    assert main([str(ini), '/', '--budget', '100', '--uid', 'anna']) == 0
    output = capsys.readouterr().err
    assert '4/4' in output
    assert '6 of 100 calls' in output
