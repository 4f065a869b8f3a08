"""``fsp-import`` as a command, over an embedded sandbox and a host of pictures."""

import csv
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from fsp_pyramid import main as make_app
from fsp_pyramid.importing import Document
from fsp_pyramid.scripts.import_assets import main
from fsp_pyramid.testing import Sandbox

from ..imaging.pictures import picture
from ..protocol.beefree import Beefree
from . import templates
from .conftest import Pictures


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve *app* on a free port, and give its URL."""
    with make_server('127.0.0.1', 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()


PUBLIC = 'https://files.example/fsp-public/'


def run(ini: Path, *words: str) -> int:
    return main([str(ini), '--uid', 'anna', '--into', '/imported/', *words])


def uploads(sandbox: Sandbox) -> list[str]:
    return [call for call in sandbox.calls if call.startswith('POST /pubapi/v1/fs-content')]


def names(sandbox: Sandbox, directory: str = '/Shared/anna/imported') -> list[str]:
    answer = sandbox.api('GET', f'/pubapi/v1/fs{directory}').json()
    return sorted(file['name'] for file in answer.get('files', ()))


def new_urls(path: Path) -> list[str]:
    return [one.url for one in Document(path.name, path.read_bytes()).references if one.url.startswith(PUBLIC)]


def test_templates_are_written_with_their_assets(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    originals = {
        'mail.html': templates.html_email(pictures.url),
        'full.json': templates.full_template(pictures.url),
        'simple.json': templates.simple_template(pictures.url),
    }
    for name, data in originals.items():
        (tmp_path / name).write_bytes(data)
    assert run(ini, *originals, '--map', 'map.csv', '--from-host', '127.0.0.1') == 0
    output = capsys.readouterr().out
    paths = {*templates.HTML_URLS, *templates.FULL_URLS, *templates.SIMPLE_URLS}
    assert (
        f'3 templates, {len(paths)} assets, 0 of them done before; about {len(paths) + 1} calls, and up to 2 more '
        in output
    )
    assert f'{len(paths)} assets are moved, 0 had a file' in output
    assert 'left in mail.html: {{ product.image }} has a merge tag' in output
    assert 'left in mail.html: data:image/gif' in output
    assert sorted(pictures.requests) == sorted(paths)
    assert len(uploads(sandbox)) == len(paths)
    assert len(sandbox.calls) == len(paths) + 3, 'a listing of nothing, that above, and a new folder'

    rows = list(csv.DictReader((tmp_path / 'map.csv').read_text().splitlines()))
    assert {row['old'].removeprefix(pictures.url) for row in rows} == paths
    urls = {row['old']: row['new'] for row in rows}
    for name, data in originals.items():
        assert (tmp_path / name).read_bytes() == data, 'originals stay'
        expected = Document(name, data).rewritten(urls.get)
        assert (tmp_path / 'imported' / name).read_bytes() == expected
    assert len(new_urls(tmp_path / 'imported' / 'mail.html')) == len(templates.HTML_URLS)
    _check_contents(ini.parent, pictures, urls)
    page = (tmp_path / 'imported' / 'report.html').read_text()
    assert page.count('<td class="picture">') == 2 * len(paths)


def _check_contents(here: Path, pictures: Pictures, urls: dict[str, str]) -> None:
    """Check that the new URLs have the contents of the old ones, and thumbnails, without calls to Egnyte."""
    settings = {'fsp.username': 'beefree', 'fsp.password': 'secret-password', 'fsp.folders': '/ /Shared/{uid}'}
    places = {'fsp.egnyte.url': f'sandbox:{here}/egnyte', 'fsp.public.cache_dir': f'{here}/cache'}
    client = Beefree(make_app({}, **settings, **places), uid='anna')
    for old, new in urls.items():
        answer = client.public(new.replace('https://files.example', 'http://localhost'))
        assert answer.body == pictures.content(old.removeprefix(pictures.url))
    items = client.get('/imported/').json['data']['items']
    assert {client.public(item['thumbnail']).status_int for item in items if item['mime-type'] == 'image/png'} == {200}


def test_control_characters_of_templates_do_not_reach_the_terminal(
    ini: Path, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escape = '\x1b]0;pwn\x07'
    page = f'<img src="{{{{ {escape} }}}}"><img src="{pictures.url}/a{escape}.png"><img src="{pictures.url}/none.png">'
    (tmp_path / 'mail.html').write_text(page)
    for options in (('--dry-run',), ()):
        run(ini, 'mail.html', *options)
        printed = ''.join(capsys.readouterr())
        assert '\x1b' not in printed
        assert '\x07' not in printed
        assert r'\x1b]0;pwn\x07' in printed
    assert '1 template, 2 assets, 0 of them done before' in printed
    assert '; 1 template is written, ' in printed


def test_second_run_makes_no_calls(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'a.json').write_bytes(templates.full_template(pictures.url))
    assert run(ini, 'a.json') == 0
    written = (tmp_path / 'imported' / 'a.json').read_bytes()
    assert capsys.readouterr().out.count('\nmoved ') == 7
    sandbox.forget_calls()
    pictures.requests.clear()
    assert run(ini, 'a.json') == 0
    assert (sandbox.calls, pictures.requests) == ([], [])
    assert (tmp_path / 'imported' / 'a.json').read_bytes() == written
    output = capsys.readouterr().out
    assert '7 of them done before; about 0 calls' in output
    assert '7 assets are moved, 0 had a file with their content already (7 of these in earlier runs)' in output
    assert 'moved ' not in output.replace('moved, ', '').replace('moved; ', '')
    assert run(ini, 'imported/a.json', '--out', 'again') == 0
    assert 'is served by this service already' in capsys.readouterr().out
    assert (tmp_path / 'again' / 'a.json').read_bytes() == written


def test_broken_links_are_named_and_stay(
    ini: Path, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures.broken.add('/pizza.png')
    pictures.contents['/row.png'] = b'<!doctype html><p>Please log in'
    pictures.contents['/social/y'] = b''
    (tmp_path / 'a.json').write_bytes(templates.full_template(pictures.url))
    assert run(ini, 'a.json', '--json') == 1
    report = json.loads(capsys.readouterr().out)
    assert report['counts'] == {'moved': 4, 'failed': 3}
    reasons = {asset['source'].removeprefix(pictures.url): asset['reason'] for asset in report['assets']}
    assert 'status 404' in reasons['/pizza.png']
    assert 'a web page' in reasons['/row.png']
    assert 'is empty' in reasons['/social/y']
    broken = [url.removeprefix(pictures.url) for url in report['templates'][0]['broken']]
    assert sorted(broken) == ['/pizza.png', '/row.png', '/social/y']
    left = [one.url for one in Document('a.json', (tmp_path / 'imported' / 'a.json').read_bytes()).references]
    assert f'{pictures.url}/pizza.png' in left
    page = (tmp_path / 'imported' / 'report.html').read_text()
    assert 'status 404' in page

    pictures.broken.clear()
    del pictures.contents['/row.png'], pictures.contents['/social/y']
    assert run(ini, 'a.json') == 0, 'failures are tried again'
    assert f'{pictures.url}/pizza.png' not in (tmp_path / 'imported' / 'a.json').read_text()


def test_exhausted_budget_is_continued_by_the_next_run(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'a.json').write_bytes(templates.simple_template(pictures.url))
    (tmp_path / 'b.json').write_bytes(templates.full_template(pictures.url))
    assert run(ini, 'a.json', 'b.json', '--budget', '9') == 3
    assert 'The budget is used up. Run the command again to go on.' in capsys.readouterr().out
    assert len(sandbox.calls) == 9
    assert (tmp_path / 'imported' / 'a.json').exists()
    assert not (tmp_path / 'imported' / 'b.json').exists(), 'it has assets to come'
    assert run(ini, 'a.json', 'b.json') == 0
    assert len(uploads(sandbox)) == 10
    assert new_urls(tmp_path / 'imported' / 'b.json')


def test_end_of_the_days_calls_stops_the_run(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'a.json').write_bytes(templates.simple_template(pictures.url))
    sandbox.fail({'status': 503, 'times': 100, 'path_prefix': '/pubapi/v1/fs-content'})
    assert run(ini, 'a.json') == 3
    assert re.search(r'Run the command again after \d{4}-\d\d-\d\d \d\d:\d\d UTC to go on', capsys.readouterr().out)
    sandbox.fail()
    sandbox.forget_calls()
    assert run(ini, 'a.json') == 0
    assert len(uploads(sandbox)) == 4


def test_collisions_are_settled_by_content(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures.contents |= {'/a/logo.png': b'\x89PNG\r\n\x1a\none', '/b/logo.png': b'\x89PNG\r\n\x1a\ntwo'}
    pictures.contents |= {'/c/logo.png': pictures.contents['/a/logo.png'], '/image.php?id=3': b'GIF89a'}
    pictures.contents |= {'/b/%C3%BC:%20x%3F': b'\xff\xd8\xff', '/there.png': b'\x89PNG\r\n\x1a\nthere'}
    sandbox.api('POST', '/pubapi/v1/fs/Shared/anna/imported', json={'action': 'add_folder'})
    sandbox.upload('/Shared/anna/imported/other name.png', pictures.contents['/there.png'])
    sandbox.upload('/Shared/anna/imported/LOGO.png', b'\x89PNG\r\n\x1a\nthree')
    (tmp_path / 'urls.txt').write_text('\n'.join(f'{pictures.url}{path}' for path in pictures.contents))
    assert run(ini, 'urls.txt', '--json') == 0
    report = json.loads(capsys.readouterr().out)
    found = {asset['source'].removeprefix(pictures.url): asset for asset in report['assets']}
    assert {path: (asset['status'], asset['path']) for path, asset in found.items()} == {
        '/a/logo.png': ('moved', '/imported/logo_1.png'),
        '/b/logo.png': ('moved', '/imported/logo_2.png'),
        '/c/logo.png': ('present', '/imported/logo_1.png'),
        '/image.php?id=3': ('moved', '/imported/image.gif'),
        '/b/%C3%BC:%20x%3F': ('moved', '/imported/ü_ x_.jpg'),
        '/there.png': ('present', '/imported/other name.png'),
    }
    assert found['/a/logo.png']['url'] == found['/c/logo.png']['url']
    assert names(sandbox) == ['LOGO.png', 'image.gif', 'logo_1.png', 'logo_2.png', 'other name.png', 'ü_ x_.jpg']


def test_directories_are_imported_with_their_templates(ini: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    export = tmp_path / 'export'
    for name, data in (
        ('images/a.png', b'\x89PNG\r\n\x1a\na'), ('images/deep/b.png', b'\x89PNG\r\n\x1a\nb'), ('fonts/f.woff2', b'f'),
        ('style.css', b'p {}'), ('.hidden.png', b'\x89PNG\r\n\x1a\nh'),
        ('index.html', b'<img src="images/a.png"><img src="../import.ini"><img src="none.png">'),
    ):  # fmt: skip
        (export / name).parent.mkdir(parents=True, exist_ok=True)
        (export / name).write_bytes(data)
    assert run(ini, 'export', '--keep-tree') == 0
    written = (tmp_path / 'imported' / 'index.html').read_text()
    assert re.fullmatch(rf'<img src="{PUBLIC}\S+/a.png"><img src="../import.ini"><img src="none.png">', written)
    assert names(sandbox) == ['a.png']
    assert names(sandbox, '/Shared/anna/imported/images') == ['a.png']
    assert names(sandbox, '/Shared/anna/imported/images/deep') == ['b.png']


def test_another_provider_is_imported(
    ini: Path, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Sandbox(tmp_path / 'other')
    for name in ('brand', 'brand/old'):
        other.api('POST', f'/pubapi/v1/fs/Shared/{name}', json={'action': 'add_folder'})
    other.upload('/Shared/brand/old/a ü.png', picture())
    other.upload('/Shared/brand/b.png', picture(9))
    settings = {'fsp.username': 'beefree', 'fsp.password': 'other-password', 'fsp.folders': '/ /Shared/brand'}
    app = make_app({}, **settings, **{'fsp.egnyte.url': f'sandbox:{tmp_path}/other'})
    monkeypatch.setenv('FSP_IMPORT_USERNAME', 'beefree')
    with serving(app) as url:
        monkeypatch.setenv('FSP_IMPORT_PASSWORD', 'wrong')
        assert run(ini, f'fsp:{url}/fsp') == 2
        assert 'status 401. Check the credentials.' in capsys.readouterr().err
        monkeypatch.setenv('FSP_IMPORT_PASSWORD', 'other-password')
        assert run(ini, f'fsp:{url}/fsp', '--keep-tree') == 0
    assert names(sandbox) == ['b.png']
    assert names(sandbox, '/Shared/anna/imported/old') == ['a ü.png']
    assert sandbox.content('/Shared/anna/imported/b.png') == picture(9)


def test_dry_run_changes_nothing(
    ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'a.json').write_bytes(templates.simple_template(pictures.url))
    assert run(ini, 'a.json', '--dry-run', '--only', '*.png') == 0
    assert f'would move {pictures.url}/hero.png' in capsys.readouterr().out
    assert (sandbox.calls, pictures.requests) == ([], [])
    assert not (tmp_path / 'imported').exists()


def test_map_rewrites_later_templates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'map.csv').write_text('old,new\nhttps://h/pizza.png,https://n/pizza.png\n')
    (tmp_path / 'a.json').write_bytes(templates.simple_template('https://h'))
    words = ['--rewrite-only', '--map', str(tmp_path / 'map.csv'), str(tmp_path / 'a.json')]
    assert main([*words, '--out', str(tmp_path / 'out')]) == 0
    expected = templates.simple_template('https://h').replace(b'https://h/pizza.png', b'https://n/pizza.png')
    assert (tmp_path / 'out' / 'a.json').read_bytes() == expected
    assert 'https://h/hero.png is not in the map' in capsys.readouterr().out
    assert main([*words, '--out', str(tmp_path)]) == 2
    assert 'is the original, which is never replaced' in capsys.readouterr().err
    (tmp_path / 'map.csv').write_text('from,to\n')
    assert main(words) == 2
    assert 'a map has the columns old and new' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['none.html'], 'There is no file or directory none.html.'),
        (['a.html', '--client', 'x'], "there is no client 'x'"),
        (['a.html', '--into', 'x'], 'Bad path of --into'),
        (['a.html', 'b/a.html'], 'would both be written as a.html'),
        (['fsp:https://h/base'], 'set FSP_IMPORT_USERNAME and FSP_IMPORT_PASSWORD'),
        (['beefree:/'], 'set BEEFREE_FILE_API_KEY'),
        (['a.html', '--out', 'b', '--state', 'a.html'], 'The state file a.html cannot be used'),
    ],
)
def test_failures_are_reported(
    ini: Path, tmp_path: Path, words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'b').mkdir()
    for name in ('a.html', 'b/a.html'):
        (tmp_path / name).write_text('<p>' * 1000)
    assert run(ini, *words) == 2
    assert complaint in capsys.readouterr().err


def test_base_of_new_urls_is_not_guessed(
    ini: Path, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ini.write_text(ini.read_text().replace('fsp.public.base_url', '# '))
    (tmp_path / 'a.html').write_text(f'<img src="{pictures.url}/a.png">')
    assert run(ini, 'a.html') == 2
    assert 'What do the new URLs begin with?' in capsys.readouterr().err
    assert run(ini, 'a.html', '--public-url', 'https://own.example/app/') == 0
    written = (tmp_path / 'imported' / 'a.html').read_text()
    assert written.startswith('<img src="https://own.example/app/fsp-public/')
    assert run(ini, 'a.html', '--public-url', 'https://other.example') == 2
    assert 'is of an import with other values of: public-url' in capsys.readouterr().err


def test_unreadable_template_does_not_stop_the_others(
    ini: Path, pictures: Pictures, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'a.json').write_text('{"a": ')
    (tmp_path / 'b.html').write_text(f'<img src="{pictures.url}/a.png">')
    assert run(ini, 'a.json', 'b.html') == 1
    assert 'not written: a.json: it is no JSON: Expecting value: line 1' in capsys.readouterr().out
    assert new_urls(tmp_path / 'imported' / 'b.html')


def test_killed_run_is_continued(ini: Path, sandbox: Sandbox, pictures: Pictures, tmp_path: Path) -> None:
    """Kill the process right after an upload, before its result is recorded: the worst moment."""
    (tmp_path / 'a.json').write_bytes(templates.full_template(pictures.url))
    words = [str(ini), '--uid', 'anna', '--into', '/imported/', 'a.json']
    program = f"""
import os, signal, sys
from fsp_pyramid.public.assets import AssetStore
from fsp_pyramid.scripts.import_assets import main
store, done = AssetStore.store, []
def killed(self, *arguments):
    entry = store(self, *arguments)
    done.append(entry)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return entry
AssetStore.store = killed
main({words!r})
"""
    environ = os.environ | {'PYTHONWARNINGS': 'ignore'}
    assert subprocess.run([sys.executable, '-c', program], cwd=tmp_path, env=environ, check=False).returncode == -9
    assert len(names(sandbox)) == 3
    assert not (tmp_path / 'imported' / 'a.json').exists()
    assert main(words) == 0
    assert len(names(sandbox)) == len(templates.FULL_URLS)
    assert len(uploads(sandbox)) == len(templates.FULL_URLS), 'nothing twice'
    assert len(new_urls(tmp_path / 'imported' / 'a.json')) == len(templates.FULL_URLS)
