"""Languages of the console: of its pages, of its scripts, and of the answers that they get."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyramid.config import Configurator

from fsp_pyramid.console.script_texts import english_texts
from fsp_pyramid.i18n import Translator
from fsp_pyramid.i18n.templates import page_texts
from fsp_pyramid.interfaces import IRequestHistory

from ..browser import Browser
from ..connect.conftest import served
from ..protocol.beefree import PNG
from .conftest import TOKEN, Console
from .window import Window

STATIC = Path(__file__).parents[2] / 'fsp_pyramid/console/static'
OWN_WORDS = """
[de]
console-files = Dateien
console-calls-left = ${left} / ${daily}
console-many-logins = Noch ${time}.
console-reload = Neu laden
console-no-link = Kein </script>öffentlicher Link
console-problem = ${title}: ${details}
console-uploaded = ${name} kam an.
error-not-found-title = Nicht gefunden
details-with-support-id = ${details} (Kennung ${support_id})
welcome-copied = Kopiert </script>
"""
GERMAN = {'Accept-Language': 'de-AT, en;q=0.5'}


@pytest.fixture
def german(make: Callable[..., Any], tmp_path: Path) -> Callable[..., Console]:
    """Return a factory of consoles whose browser prefers German."""
    file = tmp_path / 'own.ini'
    file.write_text(OWN_WORDS, 'utf-8')

    def german(**settings: str) -> Console:
        settings = {'console__local': 'true', 'messages': str(file), 'welcome': 'true'} | settings
        return Console(make(**settings), HTTP_ACCEPT_LANGUAGE=GERMAN['Accept-Language'])

    return german


def scripts_texts(page: Any) -> dict[str, str]:
    (data,) = re.findall(r'<script type="application/json" id="texts" nonce="[\w-]+">(.*?)</script>', page.text)
    return json.loads(data)


def test_page_is_in_the_language_of_the_browser(german: Callable[..., Console]) -> None:
    page = german().open()
    assert page.headers['Content-Language'] == 'de'
    assert '<html lang="de" dir="ltr">' in page.text
    assert '<h1>Dateien</h1>' in page.text
    assert '>Dateien</a>' in page.text
    english = german().open(headers={'Accept-Language': 'tlh'})
    assert (english.headers['Content-Language'], '<h1>Files</h1>' in english.text) == ('en', True)


def test_page_is_in_the_language_of_the_settings_for_other_browsers(german: Callable[..., Console]) -> None:
    page = german(language='de').open(headers={'Accept-Language': 'tlh'})
    assert page.headers['Content-Language'] == 'de'


def test_negotiator_of_a_host_wins(ini: dict[str, str], tmp_path: Path) -> None:
    def negotiate(request: Any) -> str | None:
        return request.headers.get('X-Language')

    file = tmp_path / 'own.ini'
    file.write_text(OWN_WORDS, 'utf-8')
    settings = ini | {'fsp.console.local': 'true', 'fsp.messages': str(file)}
    with Configurator(settings=settings, locale_negotiator=negotiate) as config:
        config.include('fsp_pyramid', route_prefix='files')
    console = Console(config.make_wsgi_app(), '/files/fsp-console', HTTP_ACCEPT_LANGUAGE='fr')
    assert console.open(headers={'X-Language': 'de_DE'}).headers['Content-Language'] == 'de'
    assert console.open().headers['Content-Language'] == 'fr'
    answer = console.send('GET', '/none.png', X_Language='de')
    assert (answer.headers['Content-Language'], answer.json['message']) == ('de', 'Nicht gefunden')


def test_errors_for_the_script_are_in_the_language(german: Callable[..., Console]) -> None:
    console = german()
    console.open()
    answer = console.send('GET', '/none.png')
    assert (answer.headers['Content-Language'], answer.json['message']) == ('de', 'Nicht gefunden')
    assert re.search(r'\(Kennung [0-9a-f]{8}\)$', answer.json['details'])
    forged = console.send('GET', '/', X_CSRF_Token='x')
    assert (forged.headers['Content-Language'], forged.json['message']) == ('de', 'Neu laden')


def test_errors_on_pages_are_in_the_language_and_keep_their_values(german: Callable[..., Console]) -> None:
    console = german()
    console.open()
    url = console.upload('/pic.png', PNG).json['data']['meta']['public-url']
    console.send('DELETE', '/pic.png')
    form = {'csrf_token': console.csrf, 'url': url}
    assert '>Nicht gefunden: ' in console.app.post('/fsp-console/links', form, status=404).text
    page = console.app.post('/fsp-console/links', form | {'url': 'x'}, status=400)
    assert 'Kein &lt;/script&gt;öffentlicher Link' in page.text


def test_durations_are_in_the_language(german: Callable[..., Console]) -> None:
    console = german(console__token=TOKEN, console__local='false')
    for _ in range(5):
        console.log_in('wrong', status=403)
    assert 'Noch 5 Minuten.' in console.log_in(status=429).text


def test_numbers_and_times_are_in_the_language_and_the_zone(german: Callable[..., Console]) -> None:
    console = german(timezone='Asia/Tokyo')
    console.open()
    console.send('GET', '/')
    page = console.open('/status').text
    assert re.search(r'<strong>999\.99\d</strong> / 1\.000\.000', page)
    (event,) = console.app.app.registry.getUtility(IRequestHistory).latest(1)
    local = datetime.fromisoformat(event['time']).astimezone(ZoneInfo('Asia/Tokyo'))
    assert f'<td><time>{local:%d.%m.%Y, %H:%M:%S} ' in page


def test_results_of_checks_are_marked_as_english(german: Callable[..., Console]) -> None:
    console = german()
    for path in ('/fsp-console/status', '/'):
        assert '<span lang="en" dir="ltr">right, for 1 mount</span>' in console.app.get(path).text
    console.open()
    form = {'csrf_token': console.csrf, 'url': 'http://10.0.0.1/'}
    assert '<pre lang="en">http, host 10.0.0.1' in console.app.post('/fsp-console/sources', form).text


def test_page_brings_the_texts_of_its_script(german: Callable[..., Console]) -> None:
    texts = scripts_texts(german().open())
    assert texts['console-uploaded'] == '${name} kam an.'
    assert set(texts) <= set(english_texts('console.js'))
    welcome = german().app.get('/')
    assert scripts_texts(welcome)['welcome-copied'] == 'Kopiert </script>'
    assert welcome.headers['Content-Language'] == 'de'


def test_english_page_brings_own_words_only(console: Console, german: Callable[..., Console], tmp_path: Path) -> None:
    assert scripts_texts(console.open()) == {}
    file = tmp_path / 'english.ini'
    file.write_text('[en]\nconsole-uploaded = Got ${name}\nconsole-files = Pictures\n')
    page = german(messages=str(file)).open(headers={'Accept-Language': 'en'})
    assert scripts_texts(page) == {'console-uploaded': 'Got ${name}'}


@pytest.mark.parametrize('name', ['console.js', 'welcome.js'])
def test_all_texts_of_a_script_are_extracted(name: str) -> None:
    """Babel takes no text from within a template literal, nor one that is put together."""
    calls = re.findall(r'(?<!\w)_\(', (STATIC / name).read_text('utf-8'))
    ids = re.findall(r"(?<!\w)_\('([a-z-]+)'", (STATIC / name).read_text('utf-8'))
    assert len(calls) == len(ids)
    assert set(ids) == set(english_texts(name))


def test_writing_direction() -> None:
    class Catalog:
        def translate(self, text: Any) -> str:
            return str(text)

    assert page_texts(Translator('ar', Catalog()))['direction'] == 'rtl'
    assert page_texts(Translator('ja', Catalog()))['direction'] == 'ltr'


# In a browser


@pytest.fixture
def window(browser: Browser) -> Window:
    browser.devtools('Network.setExtraHTTPHeaders', headers=GERMAN)
    return Window(browser)


def test_script_writes_the_language_and_the_zone(german: Callable[..., Console], window: Window) -> None:
    application = german(timezone='Asia/Tokyo', public__secret='s' * 32).app.app
    console = Console(application)
    console.open()
    meta = console.upload('/bild.png', PNG + bytes(1234)).json['data']['meta']
    with served(application) as url:
        window.open(f'{url}/fsp-console#uid=u1&path=/')
        window.item('bild.png')
        facts = window.script("document.querySelector('.details .facts').innerText").split('\n')
        window.script("document.getElementById('upload').click()")
        window.until("document.querySelector('dialog[open]')")
        messages = [text for text in window.browser.console_messages() if 'Failed to load resource' not in text]
    size = f'{meta["size"] / 1024:.3g}'.replace('.', ',')
    assert any(re.fullmatch(f'{size}.kB', fact) for fact in facts), facts
    local = datetime.fromtimestamp(meta['last-modified'] / 1000, ZoneInfo('Asia/Tokyo'))
    assert any(f'{local.day}. ' in fact and f'{local:%Y, %H:%M} GMT+9' in fact for fact in facts), facts
    assert messages == []


def test_script_fills_values_into_its_texts(german: Callable[..., Console], window: Window, tmp_path: Path) -> None:
    picture = tmp_path / '$& ${name}.png'
    picture.write_bytes(PNG)
    with served(german().app.app) as url:
        window.open(f'{url}/fsp-console#uid=u1&path=/')
        window.until_names('shared')
        window.script("document.getElementById('upload').click()")
        window.choose_file(window.script("document.querySelector('label[for=file]').innerText"), picture)
        window.script("document.querySelector('#upload-dialog .first').click()")
        window.until_done('$& ${name}.png kam an.')
