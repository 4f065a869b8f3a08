"""The section of the server, and nginx' configuration."""

from pathlib import Path

import pytest

from fsp_pyramid.diagnosis import Proxy

from .conftest import SERVER, Make, said

REAL = {'egnyte__url': 'https://127.0.0.1:1', 'egnyte__token': 't'}
HEADERS = 'x-forwarded-for x-forwarded-proto'


@pytest.mark.parametrize(
    ('server', 'settings', 'expected'),
    [
        ({}, {}, 'ok server.threads'),
        ({'threads': '8'}, {}, 'failure server.threads'),
        ({'threads': '4'}, {'threads': '4'}, 'warning server.threads'),
        ({}, REAL, 'ok server.proxy'),
        ({'host': '0.0.0.0'}, REAL, 'warning server.proxy'),
        ({'trusted_proxy': '*'}, REAL, 'warning server.proxy'),
        ({}, REAL | {'require_https': 'true'}, 'failure server.proxy'),
        ({'url_scheme': 'https'}, REAL | {'require_https': 'true'}, 'ok server.proxy'),
        ({'trusted_proxy': '127.0.0.1'}, REAL | {'require_https': 'true'}, 'failure server.proxy'),
        (
            {'trusted_proxy': '127.0.0.1', 'trusted_proxy_headers': HEADERS},
            REAL | {'require_https': 'true'},
            'ok server.proxy',
        ),
        (
            {'trusted_proxy': '127.0.0.1', 'clear_untrusted_proxy_headers': 'false'},
            REAL,
            'warning server.proxy',
        ),
        ({}, {}, 'ok server.connections'),
        ({'connection_limit': '100'}, {}, 'warning server.connections'),
        ({'connection_limit': '1000000'}, {}, 'warning server.connections'),
        ({'connection_limit': '500', 'asyncore_use_poll': 'false'}, {}, 'warning server.connections'),
        ({'use': 'gunicorn.app'}, {}, 'skipped server.threads'),
    ],
)
def test_section_of_the_server(make: Make, server: dict[str, str], settings: dict[str, str], expected: str) -> None:
    level, name = expected.split()
    (text,) = said(make(server=SERVER | server, **settings), name)
    assert text.startswith(f'{level} {name}: ')


def test_unknown_server_is_skipped(make: Make) -> None:
    assert [text.split()[0] for text in said(make(server=None), 'server')] == ['skipped'] * 3


def test_shipped_configuration_of_nginx_is_understood() -> None:
    file = str(Path(__file__).parents[2] / 'deploy' / 'nginx.conf')
    assert Proxy.of_nginx(file) == Proxy(
        timeout=180.0,
        is_told=True,
        file=file,
        user='www-data',
        group='fsp-pyramid',
        servers=2,
        alias='/var/cache/fsp-pyramid/',
    )


def test_least_configuration_of_nginx(tmp_path: Path) -> None:
    file = tmp_path / 'nginx.conf'
    file.write_text('# proxy_read_timeout 5s;\nhttp { server { location / { proxy_pass http://127.0.0.1:6543; } } }')
    assert Proxy.of_nginx(str(file)) == Proxy(timeout=60.0, is_told=True, file=str(file))
    file.write_text('proxy_read_timeout 2m; upstream a { server a:1; server b:1 down;\n server c:1; }')
    assert Proxy.of_nginx(str(file)) == Proxy(timeout=120.0, is_told=True, file=str(file), servers=2)
