"""Headers of requests, in place of WebOb's parsers.

Those take a time that grows with the square of a header's length, and raise for odd values.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyramid.request import Request
    from pyramid.response import Response

_ENTITY_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def cookie(request: 'Request', name: str) -> str:
    """Return the value of a cookie that is written without quotes, as ours are; '' without one."""
    for pair in request.environ.get('HTTP_COOKIE', '').split(';'):
        found, _, value = pair.strip().partition('=')
        if found == name:
            return value  # type: ignore[no-any-return]
    return ''


def matches_etag(tags: str, etag: str) -> bool:
    """Return whether the value of ``If-None-Match`` names *etag* (RFC 9110, 13.1.2)."""
    return tags.strip() == '*' or etag in _ENTITY_TAG.findall(tags)


def revalidate(request: 'Request', response: 'Response') -> None:
    """Make *response* a 304 if the client has its version. Other conditions and ranges are for larger bodies."""
    if matches_etag(request.environ.get('HTTP_IF_NONE_MATCH', ''), response.etag):
        response.status_int, response.app_iter, response.content_type = 304, (), None
