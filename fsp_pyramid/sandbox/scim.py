"""Common parts of users and groups as resources: filters, pages, and permission to manage them."""

import re
from collections.abc import Callable
from typing import Any

from .call import Call
from .errors import ApiError, invalid, refused

FILTER = re.compile(r'(\w+)\s+(eq|sw|co)\s+"(.*)"', re.IGNORECASE | re.DOTALL)
OPERATORS: dict[str, Callable[[str, str], bool]] = {'eq': str.__eq__, 'sw': str.startswith, 'co': str.__contains__}


def require_admin(call: Call) -> None:
    """Egnyte lets administrators manage users and groups."""
    if not call.user.is_admin:
        raise refused(403, 'User is not authorized to manage resources')


def absent(what: str) -> ApiError:
    """There is no such user or group."""
    return ApiError(404, {'message': f'{what} not found'})


def taken(what: str) -> ApiError:
    """There is one of that name."""
    return ApiError(409, {'message': f'{what} already exists'})


def listing(resources: list[dict[str, Any]], filters: list[str], start: int, count: int) -> dict[str, Any]:
    """Return a page of the resources that match all filters, such as ``userName eq "demo"``. *start* counts from 1."""
    for text in filters:
        resources = _matching(resources, text)
    page = resources[start - 1 : start - 1 + count]
    return {'totalResults': len(resources), 'itemsPerPage': len(page), 'startIndex': start, 'resources': page}


def _matching(resources: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    parts = FILTER.fullmatch(text.strip())
    if parts is None:
        raise invalid('filter', 'Unknown filter')
    attribute, operator, value = parts.groups()
    holds = OPERATORS[operator.lower()]
    return [one for one in resources if holds(str(one.get(attribute) or '').lower(), value.lower())]
