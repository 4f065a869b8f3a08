"""The console in a real browser, by mouse and by keyboard.

A browser that blocks anything because of the page's policy says so in its console, and the test fails.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from fsp_pyramid import main

from ..browser import ENTER, Browser
from ..conftest import Source
from ..connect.conftest import served
from .window import AXE, Window

ESCAPE = '\ue00c'


# .ci/run installs it.
NEEDS_AXE = pytest.mark.skipif(
    not AXE.exists(),
    reason='axe-core is missing: npm install --no-save --prefix var/npm axe-core',
)


@pytest.fixture(scope='module')
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('console')


@pytest.fixture(scope='module')
def url(directory: Path) -> Iterator[str]:
    """Serve an application with its console; its Egnyte is that of a new user, with the examples of the sandbox."""
    settings = {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{directory / "egnyte"}',
        'fsp.folders': '/ /Shared/Beefree/{uid}\n/shared/ /Shared/Brand ro',
        'fsp.sources.allow': '127.0.0.1',
        'fsp.public.cache_dir': str(directory / 'cache'),
        'fsp.upload.max_size': '1 MB',
        'fsp.console.local': 'true',
        'fsp.welcome': 'true',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }
    with served(main({}, **settings)) as url:
        yield url


@pytest.fixture
def window(browser: Browser) -> Iterator[Window]:
    browser.resize(1280)
    window = Window(browser)
    window.colours('light')
    yield window
    # A status from 400 on is a message, too.
    messages = [text for text in browser.console_messages() if 'Failed to load resource' not in text]
    assert messages == []


@pytest.fixture
def start(window: Window, url: str) -> Callable[[str], Window]:
    """Return a function that opens the files of a user of the test's own."""

    def start(uid: str) -> Window:
        window.open(f'{url}/fsp-console#uid={uid}&path=/')
        window.until_names('shared')
        return window

    return start


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / 'red.png'
    Image.new('RGB', (60, 40), 'red').save(file)
    return file


def test_walk_with_the_mouse(start: Callable[[str], Window], source: Source, picture: Path) -> None:
    window = start('mouse')
    window.find('heading', 'Files')
    window.click('New folder')
    window.fill('Name', 'Spring')
    window.click('Create')
    window.until_names('shared', 'Spring')

    window.click('Upload')
    window.fill('Source URL', source.offer(picture.read_bytes(), 'hero.png'))
    window.fill('Name', 'hero.png')
    window.click('Upload')
    window.until_done('hero.png is uploaded')
    window.until_names('shared', 'Spring', 'hero.png')
    window.until("document.querySelector('#files img')?.naturalWidth > 0")

    window.click('Upload')
    window.choose_file('File on this computer', picture)
    window.fill('Name', 'hero.png')
    window.click('Upload')
    window.find('dialog', 'Name conflict')
    window.click('Keep both')
    window.until_done('hero_1.png is uploaded')

    window.item('hero.png')
    public_url = window.script("document.getElementById('public-url').value")
    window.find('button', 'Copy public URL')
    window.click('Move')
    window.find('dialog', 'Move file')
    window.click('Spring')
    window.until("document.querySelector('#move-crumbs [aria-current]').textContent === 'Spring'")
    window.click('Move here')
    window.until_done('hero.png is moved to /Spring/')
    window.until_names('shared', 'Spring', 'hero_1.png')

    window.item('Spring')
    window.until_names('hero.png')
    window.click('Delete')
    window.find('dialog', 'Delete')
    window.click('Delete')
    assert 'Folder is not empty' in window.alert
    window.item('hero.png')
    assert window.script("document.getElementById('public-url').value") == public_url
    window.click('Delete')
    window.click('Delete')
    window.until_done('hero.png is deleted')
    window.click('Delete')
    window.click('Delete')
    window.until_done('Spring is deleted')
    window.until_names('shared', 'hero_1.png')
    # Each action is shown as Beefree would send it, without the password.
    calls = window.script("document.getElementById('calls').textContent")
    assert 'curl -u beefree:"$FSP_PASSWORD"' in calls
    assert '"new_path":"/Spring/","conflict_strategy":"ask"' in calls
    assert 'X-BEE-fsp-flags:move' in calls
    assert 'secret-password' not in window.script('document.documentElement.outerHTML')


def test_conflicts_can_be_replaced_and_cancelled(start: Callable[[str], Window], picture: Path) -> None:
    window = start('conflicts')
    for answer in (None, 'Cancel', 'Replace'):
        window.click('Upload')
        window.choose_file('File on this computer', picture)
        window.click('Upload')
        if answer:
            window.find('dialog', 'Name conflict')
            window.click(answer)
        if answer != 'Cancel':
            window.until_done('red.png is uploaded')
            window.script("document.getElementById('done').textContent = ''")
    window.until_names('shared', 'red.png')
    statuses = window.script("[...document.querySelectorAll('#calls summary')].map(call => call.innerText)")
    uploads = [status.split()[-1] for status in reversed(statuses) if status.startswith('POST')]
    assert uploads == ['201', '409', '409', '201']


def test_walk_with_the_keyboard(start: Callable[[str], Window], source: Source, picture: Path) -> None:
    window = start('keyboard')
    window.tab_to('New folder')
    window.keys(ENTER)
    assert window.focused == 'Name'
    window.keys('Keys' + ENTER)
    window.until_names('Keys', 'shared')
    window.tab_to('Upload')
    window.keys(ENTER)
    assert window.focused == 'Source URL'
    window.keys(source.offer(picture.read_bytes(), 'key.png'))
    window.tab_to('Name')
    assert window.script('document.activeElement.value') == 'key.png'
    window.keys(ENTER)
    window.until_names('Keys', 'shared', 'key.png')
    window.script('document.querySelector(\'.item[title="key.png"]\').focus()')
    window.keys(ENTER)
    window.tab_to('Move')
    window.keys(ENTER)
    window.find('dialog', 'Move file')
    window.keys(ESCAPE)
    window.tab_to('Delete')
    window.keys(ENTER)
    assert window.focused == 'Cancel'
    window.tab_to('Delete')
    window.keys(ENTER)
    window.until_names('Keys', 'shared')
    window.until("document.activeElement.textContent === 'root'")


def test_errors_are_shown_as_by_beefree(start: Callable[[str], Window], tmp_path: Path, source: Source) -> None:
    window = start('errors')
    large, program = tmp_path / 'large.png', tmp_path / 'setup.exe'
    large.write_bytes(b'\x89PNG\r\n\x1a\n' + bytes(1 << 20))
    program.write_bytes(b'MZ')
    for file, title in ((large, 'File too large (3906)'), (program, 'File type not allowed (3907)')):
        window.click('Upload')
        window.choose_file('File on this computer', file)
        window.click('Upload')
        assert title in window.alert
        assert 'support id' in window.alert
        window.click('Close')
    window.click('Upload')
    window.fill('Source URL', source.offer(b'')[:-4] + 'none')
    window.click('Upload')
    assert 'File could not be fetched (3450)' in window.alert
    window.item('shared')
    window.until("document.getElementById('upload').disabled")


def test_user_and_folder_survive_a_reload(start: Callable[[str], Window], url: str) -> None:
    window = start('reload')
    window.item('shared')
    window.until("location.hash.includes('shared')")
    window.browser.command('POST', '/refresh')
    window.until("document.querySelector('#crumbs [aria-current]')?.textContent === 'shared'")
    assert window.script("document.getElementById('uid').value") == 'reload'
    window.browser.command('POST', '/back')
    window.until_names('shared')
    window.fill('User id', 'other-user')
    window.click('Show')
    window.until("location.hash.includes('other-user')")


def test_application_id_is_sent_and_survives_a_reload(start: Callable[[str], Window], url: str) -> None:
    window = start('applications')
    assert window.script("document.getElementById('client-id').value") == 'console'
    window.fill('Application id', 'my-application')
    window.click('Show')
    window.until("location.hash.includes('client-id=my-application')")
    window.until_names('shared')
    assert '-H X-BEE-ClientId:my-application' in window.script("document.querySelector('#calls pre').textContent")
    window.browser.command('POST', '/refresh')
    window.until_names('shared')
    assert window.script("document.getElementById('client-id').value") == 'my-application'
    window.browser.command('POST', '/back')
    window.until("document.getElementById('client-id').value === 'console'")
    window.open(f'{url}/fsp-console#client-id=not%20valid&uid=applications&path=/')
    window.browser.command('POST', '/refresh')
    window.until("document.getElementById('client-id').value === 'console'")


def test_files_are_not_shown_for_another_user_whose_listing_fails(start: Callable[[str], Window]) -> None:
    window = start('first')
    window.script("location.hash = '#uid=$(not%20valid)'")
    assert 'This is no user id' in window.alert
    assert window.names == []
    assert window.script("document.getElementById('upload').disabled")


@NEEDS_AXE
def test_pages_are_accessible_and_fit_all_windows(start: Callable[[str], Window], url: str) -> None:
    window = start('axe')
    window.item('shared')
    window.until("document.querySelectorAll('#files li').length > 1")
    for item in window.names:
        if '.' in item:
            window.item(item)
            break
    window.script("document.querySelector('#calls details').open = true")
    found: dict[str, list[str]] = {}
    for scheme in ('light', 'dark'):
        window.colours(scheme)
        for width in (360, 1280, 2560):
            window.browser.resize(width)
            assert window.browser.overflow == 0, width
            found[f'{scheme} {width}'] = window.violations()
    window.click('Upload')
    found['dialog'] = window.violations()
    window.keys(ESCAPE)
    assert {case: violations for case, violations in found.items() if violations} == {}
    for page in ('/fsp-console/status', '/fsp-console/links', '/fsp-console/sources', '/'):
        window.open(url + page)
        for scheme in ('light', 'dark'):
            window.colours(scheme)
            for width in (360, 2560):
                window.browser.resize(width)
                assert window.browser.overflow == 0, (page, width)
            assert window.violations() == [], page


@NEEDS_AXE
def test_axe_finds_what_is_wrong(start: Callable[[str], Window]) -> None:
    window = start('wrong')
    window.script("document.querySelector('label[for=uid]').remove()")
    assert [violation.partition(':')[0] for violation in window.violations()] == ['label-title-only']
