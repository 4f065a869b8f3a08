"""All pages and dialogs of the console in a pseudo-locale, in a narrow window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fsp_pyramid import main

from ..browser import Browser
from ..conftest import Source
from ..connect.conftest import served
from . import pseudo
from .conftest import TOKEN
from .window import Window

NARROW = 360


@pytest.fixture(scope='module')
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('pseudo')


@pytest.fixture(scope='module')
def settings(directory: Path) -> dict[str, str]:
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{directory / "egnyte"}',
        'fsp.folders': '/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand ro',
        'fsp.sources.allow': '127.0.0.1',
        'fsp.public.cache_dir': str(directory / 'cache'),
        'fsp.welcome': 'true',
        'fsp.messages': str(pseudo.write(directory / 'pseudo.ini')),
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }


@pytest.fixture(scope='module')
def url(settings: dict[str, str]) -> Iterator[str]:
    with served(main({}, **settings, **{'fsp.console.local': 'true'})) as url:
        yield url


@pytest.fixture
def window(browser: Browser) -> Window:
    browser.resize(NARROW)
    return Window(browser)


@pytest.fixture
def files(window: Window, url: str) -> Window:
    window.open(f'{url}/fsp-console#uid=demo&path=/')
    window.until_names_include('shared')
    return window


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / 'red.png'
    Image.new('RGB', (60, 40), 'red').save(file)
    return file


def click(window: Window, message_id: str) -> None:
    window.click(pseudo.texts()[message_id])


def until_dialog(window: Window, message_id: str) -> None:
    window.find('dialog', pseudo.texts()[message_id])


def until_alert(window: Window, message_id: str, case: str) -> None:
    assert pseudo.texts()[message_id] in window.alert
    pseudo.check(window, case)


def test_folder(files: Window) -> None:
    pseudo.check(files, 'folder')
    files.script("document.querySelector('#calls details').open = true")
    pseudo.check(files, 'call')
    files.fill(pseudo.texts()['console-filter'], 'none')
    files.until("!document.getElementById('empty').hidden")
    pseudo.check(files, 'no match')


def test_uploads_and_their_dialogs(files: Window, picture: Path) -> None:
    click(files, 'console-upload')
    until_dialog(files, 'console-upload')
    pseudo.check(files, 'upload')
    click(files, 'console-upload')
    until_alert(files, 'console-no-source-title', 'nothing to upload')
    for _ in range(2):
        click(files, 'console-upload')
        files.choose_file(pseudo.texts()['console-file-here'], picture)
        click(files, 'console-upload')
        files.until_names_include('red.png')
    until_dialog(files, 'console-name-conflict')
    pseudo.check(files, 'conflict')
    click(files, 'console-keep-both')
    files.until_names_include('red_1.png')
    pseudo.check(files, 'uploaded')


def test_folders_files_and_their_dialogs(files: Window, picture: Path) -> None:
    click(files, 'console-new-folder')
    until_dialog(files, 'console-new-folder')
    pseudo.check(files, 'new folder')
    files.fill(pseudo.texts()['console-name'], 'a/b')
    click(files, 'console-create')
    until_alert(files, 'console-no-folder-title', 'bad name')
    click(files, 'console-new-folder')
    files.fill(pseudo.texts()['console-name'], 'Autumn')
    click(files, 'console-create')
    files.until_names_include('Autumn')
    files.item('Autumn')
    files.until("document.querySelector('#crumbs [aria-current]').textContent === 'Autumn'")
    pseudo.check(files, 'empty folder')
    click(files, 'console-upload')
    files.choose_file(pseudo.texts()['console-file-here'], picture)
    click(files, 'console-upload')
    files.until_names('red.png')
    pseudo.check(files, 'file')
    click(files, 'console-move')
    until_dialog(files, 'console-move-file')
    pseudo.check(files, 'move')
    click(files, 'console-cancel')
    click(files, 'console-delete')
    until_dialog(files, 'console-delete')
    pseudo.check(files, 'delete file')
    click(files, 'console-cancel')
    click(files, 'console-root')
    files.until_names_include('shared')
    files.item('Autumn')
    files.until_names('red.png')
    click(files, 'console-delete')
    until_dialog(files, 'console-delete')
    pseudo.check(files, 'delete folder')
    click(files, 'console-delete')
    until_alert(files, 'error-not-empty-title', 'not empty')


def test_other_pages(files: Window, url: str, source: Source) -> None:
    files.item('shared')
    files.until_names_include('Brand guidelines.pdf')
    files.item('Brand guidelines.pdf')
    public_url = files.script("document.getElementById('public-url').value")
    for page in ('/', '/fsp-console/status?diagnosis=1', '/fsp-console/status?support_id=x', '/fsp-console/accounts'):
        files.open(url + page)
        pseudo.check(files, page)
    files.open(f'{url}/fsp-console/status')
    assert files.script("document.querySelectorAll('.chart').length") == 1
    pseudo.check(files, 'status with calls')
    files.open(f'{url}/fsp-console/links')
    for link, case in (('nonsense', 'no link'), (public_url, 'link')):
        files.fill(pseudo.texts()['console-public-url'], link)
        click(files, 'console-look-up')
        files.until(f'document.getElementById({"problem" if link == "nonsense" else "found"!r})')
        pseudo.check(files, case)
    files.open(f'{url}/fsp-console/sources')
    files.fill(pseudo.texts()['console-source-url'], source.offer(b'x'))
    click(files, 'console-check')
    files.until("document.querySelector('[role=status]')")
    pseudo.check(files, 'source check')


@pytest.mark.parametrize('token', [TOKEN, ''])
def test_pages_of_those_who_may_not_use_it(window: Window, settings: dict[str, str], token: str) -> None:
    access = {'fsp.console.token': token} if token else {'fsp.console.permission': 'operate'}
    with served(main({}, **settings, **access)) as url:
        window.open(f'{url}/fsp-console')
        pseudo.check(window, 'first')
        if token:
            window.fill(pseudo.texts()['console-token'], 'wrong')
            click(window, 'console-log-in')
            window.until("document.getElementById('problem')")
            pseudo.check(window, 'wrong token')


def test_check_finds_what_is_wrong(files: Window) -> None:
    files.script("document.querySelector('h1').textContent = 'Files'")
    with pytest.raises(AssertionError, match='Files'):
        pseudo.check(files, 'a text that is not translated')
    files.script("document.querySelector('h1').remove()")
    files.script("document.querySelector('main').style.width = '999px'")
    with pytest.raises(AssertionError, match='rtl'):
        pseudo.check(files, 'a page that is too wide')
