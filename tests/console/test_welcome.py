"""The page at ``/`` of the stand-alone application."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from fsp_pyramid import main

from .conftest import LOCAL, TOKEN


def test_page_shows_the_base_url_and_the_checks(make: Callable[..., Any]) -> None:
    page = TestApp(make(welcome='true', console__local='true'), extra_environ=LOCAL).get('/')
    assert 'value="http://localhost:80/fsp"' in page.text or 'value="http://localhost/fsp"' in page.text
    assert re.findall(r'class="(ok|failed)"', page.text) == ['ok', 'ok', 'ok']
    assert 'href="/fsp-console"' in page.text
    assert 'right, for 1 mount' in page.text
    assert 'secret-password' not in page.text
    assert page.headers['Content-Security-Policy'].startswith("default-src 'none'")
    for address in re.findall(r'(?:href|src)="(/[^"]*)"', page.text):
        assert page.test_app.get(address).status_int == 200


def test_page_follows_host_scheme_and_script_name(make: Callable[..., Any]) -> None:
    environ = {'HTTP_HOST': 'files.example', 'wsgi.url_scheme': 'https', 'SCRIPT_NAME': '/app'}
    page = TestApp(make(welcome='true'), extra_environ=environ).get('/')
    assert 'value="https://files.example/app/fsp"' in page.text
    assert 'src="/app/fsp-console/static/welcome.js"' in page.text
    # Not local: without reasons, and without a console, which is off.
    assert 'right, for 1 mount' not in page.text
    assert 'Open the console' not in page.text


def test_without_the_setting_it_is_a_plain_404(make: Callable[..., Any]) -> None:
    app = TestApp(make(console__token=TOKEN))
    assert app.get('/', status=404).text == 'There is nothing here.'
    assert app.get('/favicon.ico').content_type == 'image/svg+xml'


def test_static_files_come_without_a_console(make: Callable[..., Any]) -> None:
    app = TestApp(make(welcome='true'))
    app.get('/fsp-console/static/console.css')
    assert app.get('/fsp-console', status=404).text == 'There is nothing here.'
    app.get('/fsp-console/static/none', status=404)


@pytest.mark.parametrize(
    'headers',
    [
        {'Range': 'bytes=' + ' ' * 1_000_000 + 'x'},
        {'Range': 'bytes=' + '9' * 5000},
        {'Range': 'bytes=0-1'},
        {'If-Modified-Since': 'Mon, 01 Jan 99999999999 00:00:00 GMT'},
    ],
    ids=['spaces', 'digits', 'part', 'date'],
)
@pytest.mark.parametrize('path', ['/favicon.ico', '/fsp-console/static/console.css'])
def test_assets_ignore_ranges_and_dates(make: Callable[..., Any], path: str, headers: dict[str, str]) -> None:
    """WebOb fails for odd ones, and takes the square of the length of a range: hours."""
    app = TestApp(make(welcome='true'))
    whole = app.get(path)
    assert app.get(path, headers=headers, status=200).body == whole.body
    assert app.get(path, headers={'If-None-Match': whole.headers['ETag']}, status=304).body == b''


def test_log_at_start_names_the_urls(ini: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid')
    main({'http_port': '7001'}, **ini, **{'fsp.welcome': 'true', 'fsp.console.local': 'true'})
    for text in ('http://localhost:7001/fsp,', 'http://localhost:7001/fsp-console', 'open http://localhost:7001/ in'):
        assert text in caplog.text
    caplog.clear()
    main({}, **ini)
    assert 'http://HOST/fsp,' in caplog.text
    assert 'console' not in caplog.text
