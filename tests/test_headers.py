"""Headers of requests, which are read without WebOb's parsers."""

import re
from pathlib import Path

import pytest
from webob import Request, Response

import fsp_pyramid
from fsp_pyramid.headers import cookie, revalidate

PACKAGE = Path(fsp_pyramid.__file__).parent
# Names of WebOb whose parsers take a time with the square of the length of a header, or raise for odd values.
PARSED = re.compile(
    r'conditional_response|request\.(range|if_\w+|accept\w*|authorization|cookies|cache_control|max_forwards|date)\b'
)


def test_no_header_is_parsed_by_webob() -> None:
    files = [path for path in PACKAGE.rglob('*.py') if PACKAGE / 'sandbox' not in path.parents]
    assert [(path.name, found[0]) for path in files for found in PARSED.finditer(path.read_text())] == []


@pytest.mark.parametrize(
    ('header', 'value'),
    [
        ('own=x', 'x'),
        ('a=1;own=x=y; b="2"', 'x=y'),
        ('a="\xff"; \xff=1; own=x', 'x'),
        ('a' * 1_000_000 + '; own=x', 'x'),
        ('own', ''),
        ('not-own=x', ''),
        ('', ''),
    ],
)
def test_cookie_is_found_beside_any_others(header: str, value: str) -> None:
    assert cookie(Request.blank('/', environ={'HTTP_COOKIE': header}), 'own') == value


@pytest.mark.parametrize('tags', ['"tag"', 'W/"tag"', '"x", "tag"', '*', ' * '])
def test_known_version_is_not_sent(tags: str) -> None:
    response = Response(b'content', content_type='text/css', charset='utf-8', etag='tag', cache_control='no-cache')
    revalidate(Request.blank('/', headers={'If-None-Match': tags}), response)
    assert (response.status_int, response.body) == (304, b'')
    assert sorted(response.headers) == ['Cache-Control', 'ETag']


@pytest.mark.parametrize('headers', [{}, {'If-None-Match': '"x"'}, {'If-None-Match': 'tag'}, {'If-None-Match': ''}])
def test_other_version_is_sent(headers: dict[str, str]) -> None:
    response = Response(b'content', etag='tag')
    revalidate(Request.blank('/', headers=headers), response)
    assert (response.status_int, response.body) == (200, b'content')
