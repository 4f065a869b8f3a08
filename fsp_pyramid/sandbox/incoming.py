"""Requests: parameters, JSON objects and bodies, read as leniently as Egnyte reads them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from pyramid.request import Request

from .contents import blocks
from .errors import ApiError, invalid
from .times import parse_http_date, parse_iso

DIGITS = 15
JSON_BYTES = 1024 * 1024


def flag(request: Request, name: str, default: bool = False) -> bool:
    """Return a boolean parameter; clients send true, True and 1."""
    value = request.GET.get(name)
    return default if value is None else value.lower() in {'true', '1', 'yes'}


def number(request: Request, name: str, default: int = 0) -> int:
    """Return a parameter that is a whole number, 0 or more."""
    return whole(name, request.GET.get(name) or str(default))


def whole(name: str, value: str) -> int:
    """Return a whole number that the database can hold."""
    if not (value.isascii() and value.isdigit()) or len(value) > DIGITS:
        raise invalid(name, 'Must be a whole number')
    return int(value)


def moment(request: Request, name: str) -> int | None:
    """Return a parameter that is a date, or a date and time; as UNIX milliseconds."""
    value = request.GET.get(name)
    try:
        return parse_iso(value) if value else None
    except ValueError as error:
        raise invalid(name, 'Must be a date') from error


def json_value(request: Request) -> Any:
    """Return the JSON in the body."""
    # Not request.json_body, which would leave a temporary file behind.
    body = request.body_file.read(JSON_BYTES)
    try:
        value = json.loads(body)
        # JSON can spell halves of characters, which are no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, {'errorMessage': 'The body is not JSON'}) from error
    return value


def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body."""
    value = json_value(request)
    if not isinstance(value, dict):
        raise ApiError(400, {'errorMessage': 'The body is not a JSON object'})
    return value


def text(body: dict[str, Any], name: str) -> str:
    """Return a member of a JSON object that must be a string with something in it."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name, 'Must be a string')
    return value


def modified_time(request: Request) -> int | None:
    """Return the Last-Modified header as UNIX milliseconds."""
    return parse_http_date(request.headers.get('Last-Modified', ''))


@contextmanager
def content(request: Request) -> Iterator[Iterator[bytes]]:
    """Yield the uploaded file: the body as it is, or the part ``file`` of a multipart one."""
    if not request.content_type.startswith('multipart/'):
        yield blocks(request.body_file)
        return
    with _multipart_file(request) as file:
        yield blocks(file)


@contextmanager
def _multipart_file(request: Request) -> Iterator[IO[bytes]]:
    # WebOb parses out of a temporary copy of the body, and into temporary files.
    try:
        parts = [part for part in request.POST.values() if hasattr(part, 'file')]
    except ValueError as error:
        raise ApiError(400, {'errorMessage': 'The multipart body is malformed'}) from error
    try:
        named = [part for part in parts if part.name == 'file'] or parts
        if not named:
            raise ApiError(400, {'errorMessage': 'The multipart body holds no file'})
        yield named[0].file
    finally:
        for part in parts:
            part.file.close()
        request.body_file_raw.close()
