"""Schemas of request bodies: validate JSON, with errors that name the field."""

import json
from typing import Any, NamedTuple

import colander
from pyramid.request import Request

from .. import paths
from ..errors import BadRequest
from ..model import Strategy

MAX_BODY = 64 << 10


class _Strategy(colander.SchemaType):
    """``conflict_strategy``: one of Beefree's three words; ``""`` and null count as missing."""

    def deserialize(self, node: colander.SchemaNode, cstruct: Any) -> Strategy | None:
        if cstruct is colander.null or cstruct is None or cstruct == '':
            return None
        try:
            strategy = Strategy(cstruct)
        except ValueError:
            strategy = Strategy.REFUSE
        if strategy is Strategy.REFUSE:  # for settings only, not in the protocol
            raise colander.Invalid(node, 'is "keep", "replace", "ask" or ""')
        return strategy


class _Directory(colander.SchemaType):
    """Absolute path that ends with a slash."""

    def deserialize(self, node: colander.SchemaNode, cstruct: Any) -> paths.Path:
        if cstruct is colander.null:
            return cstruct
        if not isinstance(cstruct, str):
            raise colander.Invalid(node, 'is an absolute path, as text')
        try:
            path, directory = paths.parse(cstruct)
        except paths.PathError as error:
            raise colander.Invalid(node, f'is not a valid path: {error}') from None
        if not directory:
            raise colander.Invalid(node, 'is a directory, so it ends with a slash')
        return path


def _source(node: colander.SchemaNode, value: str) -> None:
    if not value.lower().startswith(('http://', 'https://')):
        raise colander.Invalid(node, 'is a URL that begins with http:// or https://')


def _schema(*nodes: colander.SchemaNode) -> colander.SchemaNode:
    strategy = colander.SchemaNode(_Strategy(), name='conflict_strategy', missing=None)
    return colander.SchemaNode(colander.Mapping(unknown='ignore'), *nodes, strategy)


_UPLOAD = _schema(colander.SchemaNode(colander.String(), name='source', validator=_source))
_MOVE = _schema(colander.SchemaNode(_Directory(), name='new_path'))


class Upload(NamedTuple):
    """Body of ``POST /file``; *strategy* is None where the client leaves the choice to the settings."""

    source: str
    strategy: Strategy | None


class Move(NamedTuple):
    """Body of ``PATCH /file``; *strategy* is None where the client names none, or cancels."""

    directory: paths.Path
    strategy: Strategy | None


def read_upload(request: Request) -> Upload:
    """Read the body of an upload. Raises BadRequest."""
    body = _read(request, _UPLOAD)
    return Upload(body['source'], body['conflict_strategy'])


def read_move(request: Request) -> Move:
    """Read the body of a move. Raises BadRequest."""
    body = _read(request, _MOVE)
    return Move(body['new_path'], body['conflict_strategy'])


def _read(request: Request, schema: colander.SchemaNode) -> dict[str, Any]:
    try:
        # Checked first: WebOb allocates a buffer of the announced length.
        data = b'' if (request.content_length or 0) > MAX_BODY else request.body_file.read(MAX_BODY + 1)
        if not 0 < len(data) <= MAX_BODY:
            raise BadRequest(f'The body of the request must be a JSON object of {MAX_BODY >> 10} KB at most.')
        body = json.loads(data)
    except (ValueError, RecursionError, OSError):  # RecursionError: "[[[[[..."; OSError: shorter than announced
        raise BadRequest('The body of the request must be a JSON object, and this one is no JSON.') from None
    if not isinstance(body, dict):
        raise BadRequest('The body of the request must be a JSON object.')
    try:
        return schema.deserialize(body)
    except colander.Invalid as error:
        raise BadRequest('The body of the request is not right: ' + '; '.join(_field_errors(error)) + '.') from None


def _field_errors(error: colander.Invalid) -> list[str]:
    return [f'"{child.node.name}" {_field_error(child)}' for child in error.children]


def _field_error(error: colander.Invalid) -> str:
    if error.msg == 'Required':
        return 'is missing'
    # colander's other messages are translatable and name Python's types; those above are plain.
    return error.msg if type(error.msg) is str else 'must be text'
