"""Conditions, ranges, failures and odd names at public URLs, with and without nginx to send the files."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from fsp_pyramid.testing import Sandbox

from ..background import settle
from ..imaging.pictures import picture
from ..protocol.beefree import Beefree

CONTENT = picture()
NO_DATES = [
    'Fri, 01 Jan 99999 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 -9959',
    'Mon, 01 Jan 0001 00:00:00 +2359',
    'Mon, 00 Jan 0000 00:00:00 GMT',
    'Fri, 01 Jan 2100 00:00:00 +0200',
    'Fri, 01 Jan 2100 00:00:00 +99999999999999999999',
    'Fri, 01 Jan 2100 00:00:00 CEST',
    'Fri, 32 Jan 2100 25:61:61 GMT',
    f'Fri, 01 Jan {"9" * 5000} 00:00:00 GMT',
    'GMT',
    '0',
    '-1',
    '1e400',
    '\x00',
    '\xff\xfe GMT',
]
DATES = ['Fri, 01 Jan 2100 00:00:00 GMT', 'Friday, 01-Jan-60 00:00:00 GMT', 'Fri Jan  1 00:00:00 2100']
KNOWN = [
    '"x","TAG"',
    'W/"x",W/"TAG"',
    '"x",W/"TAG","y"',
    '"TAG","x"',
    '"x"\t,\t"TAG"',
    '"x",,"TAG",',
    '"a,b","TAG"',
    ' "TAG" ',
    ' * ',
    ','.join([f'"{number}"' for number in range(1000)] + ['"TAG"']),
]
UNKNOWN = ['', ',', '"x","y"', '"xTAG"', '"TAGx"', 'TAG', '"x\\"TAG"', '"*"', '"', '\xff']
SUCCESS = {'ETag', 'Last-Modified', 'Expires', 'Content-Disposition', 'Age', 'X-Accel-Redirect'}


@pytest.fixture(params=['none', 'nginx'])
def served(
    request: pytest.FixtureRequest, make_app: Callable[..., Any], sandbox: Sandbox, tmp_path: Path
) -> tuple[Beefree, str, str]:
    """Return a client, the URL of a cached picture, and that of its thumbnail."""
    sandbox.upload('/Shared/Beefree/u1/a.png', CONTENT)
    client = Beefree(make_app(public__cache_dir=str(tmp_path / 'cache'), public__sendfile=request.param))
    meta = client.get('/a.png').json['data']['meta']
    client.public(meta['public-url'])
    settle()
    client.public(meta['thumbnail'])
    settle()
    return client, meta['public-url'], meta['thumbnail']


def test_malformed_date_is_ignored(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for date, header in product(NO_DATES, ('If-Modified-Since', 'If-Unmodified-Since', 'If-Range')):
        headers = {header: date} | ({'Range': 'bytes=0-3'} if header == 'If-Range' else {})
        for url, method in product(urls, ('GET', 'HEAD')):
            assert client.public(url, method=method, headers=headers).status_int == 200, headers


def test_each_form_of_a_date_is_parsed(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for date, url in product(DATES, urls):
        assert client.public(url, headers={'If-Modified-Since': date}).status_int == 304, date


def test_matching_tag_among_several_is_not_modified(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for url in urls:
        tag = client.public(url).headers['ETag'].strip('"')
        for tags, method in product(KNOWN, ('GET', 'HEAD')):
            answer = client.public(url, method=method, headers={'If-None-Match': tags.replace('TAG', tag)})
            assert (answer.status_int, answer.body, answer.headers['ETag']) == (304, b'', f'"{tag}"'), tags


def test_other_tags_do_not_match(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for url in urls:
        tag = client.public(url).headers['ETag'].strip('"')
        for tags in UNKNOWN:
            answer = client.public(url, headers={'If-None-Match': tags.replace('TAG', tag)})
            assert answer.status_int == 200, tags


def test_unsatisfiable_range_has_no_headers_of_a_success(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for url in urls:
        size = client.public(url, method='HEAD', headers={'If-Unmodified-Since': 'x'}).content_length
        for part in ('bytes=999999999-', 'bytes=999999999-9999999999', 'BYTES = 999999999 -'):
            answer = client.public(url, headers={'Range': part})
            assert answer.status_int == 416
            assert answer.headers['Content-Range'] == f'bytes */{size}'
            assert answer.headers['Cache-Control'] == 'no-store'
            assert SUCCESS.isdisjoint(answer.headers)


def test_malformed_range_is_ignored(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    parts = (
        'bytes=9-5',
        'bytes=-',
        'bytes=-0',
        'bytes=a',
        'bytes=',
        'bytes=0-1,x',
        'lines=0-1',
        'bytes=1-' + ' ' * 1_000_000 + 'x',
    )
    for url, part in product(urls, parts):
        answer = client.public(url, headers={'Range': part})
        assert (answer.status_int, 'Content-Range' in answer.headers) == (200, False), part


def test_nginx_serves_satisfiable_ranges(make_app: Callable[..., Any], served: tuple[Beefree, str, str]) -> None:
    client, url, _ = served
    by_nginx = 'X-Accel-Redirect' in client.public(url).headers
    for part in ('bytes=0-3', 'bytes=0-3,-4', 'bytes=0-3,999999999-'):
        assert ('X-Accel-Redirect' in client.public(url, headers={'Range': part}).headers) is by_nginx


def test_errors_are_not_cacheable(client: Beefree, sandbox: Sandbox) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', CONTENT)
    meta = client.get('/a.png').json['data']['meta']
    url, thumbnail = meta['public-url'], meta['thumbnail']
    answers = [
        client.public(f'{path[: path.index("fsp-public/")]}fsp-public/{rest}')
        for path in (url,)
        for rest in ('x/y.png', 'x/0123456789ab/y.png', '%ff/x')
    ]
    answers += [client.public(path, method=method) for path in (url, thumbnail) for method in ('POST', 'DELETE')]
    sandbox.fail({'status': 500, 'times': 100, 'path_prefix': '/pubapi/v1/fs-content'})
    answers.append(client.public(url))
    sandbox.fail()
    client.delete('/a.png')
    answers += [client.public(path) for path in (url, thumbnail)]
    assert sorted({answer.status_int for answer in answers}) == [404, 405, 503]
    for answer in answers:
        assert answer.headers['Cache-Control'] == 'no-store'
        assert SUCCESS.isdisjoint(answer.headers)


def test_nginx_keeps_that_a_file_is_gone(client: Beefree, sandbox: Sandbox) -> None:
    """Otherwise it would serve the file again when the application does not answer."""
    sandbox.upload('/Shared/Beefree/u1/a.png', CONTENT)
    url = client.get('/a.png').json['data']['meta']['public-url']
    client.delete('/a.png')
    answer = client.public(url, headers={'X-FSP-Cache': 'public'})
    assert (answer.status_int, answer.headers['X-Accel-Expires']) == (404, '5')
    assert 'Cache-Control' not in answer.headers  # nginx adds it
    unknown = client.public('/fsp-public/x/y.png', headers={'X-FSP-Cache': 'public'})
    assert (unknown.headers['Cache-Control'], 'X-Accel-Expires' in unknown.headers) == ('no-store', False)


NAMES = [
    'Caf%E9.png',
    '%ff',
    '%00',
    'a%0ab.png',
    '%0a',
    'a/b/c.png',
    '/',
    '',
    '0123456789ab/x.png',
    '0123456789ab/',
    '%c3%28.png',
    '%ed%a0%80',
    '%f0%9f%98%80.png',
    'x%2f..%2f..%2fy',
    '%2e%2e%ff/',
    '*%5c%ff',
]


def raw(client: Beefree, path: str, method: str = 'GET', script_name: str = '') -> Response:
    """Request a path without normalising it."""
    request = Request.blank(path, method=method)
    if script_name:
        request.environ['SCRIPT_NAME'] = script_name
    return request.get_response(client.app.app)


def test_name_in_the_url_may_be_any_bytes(served: tuple[Beefree, str, str]) -> None:
    client, *urls = served
    for url, name, method in product(urls, NAMES, ('GET', 'HEAD')):
        path = urlsplit(url).path.rpartition('/')[0]
        for script_name in ('', '/caf\xe9'):
            answer = raw(client, f'{path}/{name}', method, script_name)
            assert (answer.status_int, answer.content_type[:6]) == (200, 'image/'), name
            assert answer.headers['Content-Disposition'].startswith('inline')


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.binary(max_size=12))
def test_random_name_in_the_url_is_accepted(served: tuple[Beefree, str, str], name: bytes) -> None:
    client, *urls = served
    for url in urls:
        path = urlsplit(url).path.rpartition('/')[0]
        assert raw(client, path + '/' + ''.join(f'%{byte:02x}' for byte in name)).status_int == 200


def test_name_of_any_bytes_is_accepted_below_a_route_prefix(
    make_app: Callable[..., Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.upload('/Shared/Beefree/u1/a.png', CONTENT)
    settings = {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.folders': '/ /Shared/Beefree/{uid}',
    }
    with Configurator(settings=settings) as config:
        config.include('fsp_pyramid', route_prefix='/caf\xe9')
    client = Beefree(config.make_wsgi_app(), base='/caf%C3%A9/fsp')
    url = urlsplit(client.get('/a.png').json['data']['meta']['public-url']).path
    for method in ('GET', 'HEAD'):
        assert raw(client, f'{url.rpartition("/")[0]}/Caf%E9.png', method).status_int == 200


def test_undecodable_bytes_elsewhere_are_refused(make_app: Callable[..., Any]) -> None:
    client = Beefree(make_app())
    assert raw(client, '/fsp-public/%ff/x.png').status_int == 404
    assert raw(client, '/fsp/%ff').status_int == 400
