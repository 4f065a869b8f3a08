"""``/_sandbox``: what the sandbox offers to tests, and Egnyte does not have."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from .. import calls, faults
from ..incoming import json_value
from ..routing import add_resource


def list_calls(request: Request) -> dict[str, Any]:
    """All calls since the log was cleared."""
    return {'calls': calls.recorded(request.db)}


def clear_calls(request: Request) -> Response:
    """Clear the log."""
    calls.forget(request.db)
    return Response(status=204)


def list_faults(request: Request) -> list[dict[str, Any]]:
    """Return the faults that are still to happen."""
    return [fault.to_json() for fault in faults.pending(request.db)]


def put_faults(request: Request) -> Response:
    """Order faults, instead of those ordered before."""
    faults.replace(request.db, faults.parse(json_value(request)))
    return Response(status=204)


def clear_faults(request: Request) -> Response:
    """Order none."""
    faults.replace(request.db, [])
    return Response(status=204)


def includeme(config: Configurator) -> None:
    """Register the views of calls and faults."""
    add_resource(config, 'calls', '/_sandbox/calls', GET=list_calls, DELETE=clear_calls)
    add_resource(config, 'faults', '/_sandbox/faults', GET=list_faults, PUT=put_faults, DELETE=clear_faults)
