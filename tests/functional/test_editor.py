"""Example with Beefree's editor: page, token and the real SDK, with a stand-in for Beefree's servers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pyramid.paster import get_appsettings
from webtest import TestApp

from ..browser import Browser
from ..connect.conftest import served
from ..console.window import Window

EXAMPLE = Path(__file__).parents[2] / 'examples/editor'
SCRIPT = EXAMPLE / 'editor/static/editor.js'
SECRET, TOKEN = 'secret-of-the-application', {'access_token': 'temporary', 'v2': True}
PLUGIN = """
window.BeePlugin = {
  create(token, config, done) {
    window.created = { token, container: config.container, uid: config.uid };
    done({ start: (template) => { window.started = template; } });
  },
};
"""


class Beefree:
    """The parts of Beefree's servers that the example talks to."""

    def __init__(self, url: str) -> None:
        self.url, self.status = url, 200
        self.asked: list[tuple[str, Any]] = []


@pytest.fixture
def beefree() -> Iterator[Beefree]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers['Content-Length']))
            stand_in.asked.append((self.path, json.loads(body)))
            self._answer(json.dumps(TOKEN), stand_in.status)

        def do_GET(self) -> None:
            self._answer(PLUGIN if self.path == '/plugin.js' else '{"page": "a template"}')

        def _answer(self, text: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header('Content-Length', str(len(text)))
            self.send_header('Access-Control-Allow-Origin', '*')
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        stand_in = Beefree(f'http://127.0.0.1:{server.server_port}')
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield stand_in
        server.shutdown()
        thread.join()


@pytest.fixture
def application(beefree: Beefree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name, value in (('CLIENT_ID', 'app-id'), ('CLIENT_SECRET', SECRET), ('UID', 'anna')):
        monkeypatch.setenv(f'BEEFREE_{name}', value)
    monkeypatch.setenv('FSP_PASSWORD', 'password')
    from editor import main

    settings = dict(get_appsettings(str(EXAMPLE / 'editor.ini'))) | {
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.public.cache_dir': str(tmp_path / 'cache'),
        'editor.auth_url': f'{beefree.url}/loginV2',
        'editor.template_url': f'{beefree.url}/template',
        'editor.plugin_url': f'{beefree.url}/plugin.js',
    }
    return main({}, **settings)


def test_token_is_fetched_with_the_secret_and_passed_on(application: Any, beefree: Beefree) -> None:
    app = TestApp(application)
    assert app.post('/token').json == TOKEN
    credentials = {'client_id': 'app-id', 'client_secret': SECRET, 'uid': 'anna'}
    assert beefree.asked == [('/loginV2', credentials)]
    assert SECRET not in app.get('/').text
    app.get('/token', status=404)


@pytest.mark.parametrize(('status', 'text'), [(401, 'refuses'), (403, 'refuses'), (500, 'status 500')])
def test_refusals_of_beefree_are_explained(application: Any, beefree: Beefree, status: int, text: str) -> None:
    beefree.status = status
    answer = TestApp(application).post('/token', status=502)
    assert text in answer.json['message']
    assert SECRET not in answer.text


def test_missing_values_are_named(application: Any) -> None:
    from dataclasses import replace

    application.registry.editor = replace(application.registry.editor, client_secret='')
    assert 'BEEFREE_CLIENT_SECRET' in TestApp(application).post('/token', status=500).json['message']


def test_provider_answers_over_https_only(application: Any) -> None:
    app = TestApp(application, extra_environ={'wsgi.url_scheme': 'https'})
    app.authorization = ('Basic', ('beefree', 'password'))
    headers = {'X-BEE-ClientId': 'app-id', 'X-BEE-Uid': 'anna'}
    assert app.get('/fsp/', headers=headers).json['status'] == 'success'
    app.get('/fsp/', headers=headers, extra_environ={'wsgi.url_scheme': 'http'}, status=403)


@pytest.mark.skipif(
    not SCRIPT.exists(),
    reason='the script of examples/editor is not built: npm install and npm run build there',
)
def test_page_starts_the_editor_with_the_token(application: Any, beefree: Beefree, browser: Browser) -> None:
    with served(application) as url:
        window = Window(browser)
        window.open(url)
        assert window.until('window.started') == {'page': 'a template'}
        assert window.script('window.created') == {'token': TOKEN, 'container': 'editor', 'uid': 'anna'}
        beefree.status = 401
        window.open(url)
        assert 'refuses BEEFREE_CLIENT_ID' in window.alert
