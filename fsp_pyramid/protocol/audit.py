"""The audit log: one JSON object a line for each request below a mount, on a logger of its own.

The logger is ``fsp_pyramid.audit``, at INFO. A line tells who did what to which path and how it ended; never a
password, a token or the source of an upload.
"""

import logging
from typing import Any

from .. import telemetry
from ..errors import excerpt
from ..model import Identity
from .resources import Directory

# Ini files name it, so it stays when modules move.
log = logging.getLogger('fsp_pyramid.audit')

OPERATIONS = {
    (True, 'GET'): 'list',
    (True, 'HEAD'): 'list',
    (True, 'POST'): 'create',
    (True, 'DELETE'): 'delete',
    (False, 'GET'): 'metadata',
    (False, 'HEAD'): 'metadata',
    (False, 'POST'): 'upload',
    (False, 'DELETE'): 'delete',
    (False, 'PATCH'): 'move',
}
OTHER = 'other'


def watch(request: Any) -> None:
    """Log *request* when it is answered, whatever the answer and after its transaction ended."""
    telemetry.watch(request, log, _operation, _fields)


def _operation(request: Any) -> str:
    context = getattr(request, 'context', None)
    return OPERATIONS.get((isinstance(context, Directory), request.method), OTHER)


def _fields(request: Any, operation: str) -> dict[str, Any]:
    fsp, context = request.fsp, getattr(request, 'context', None)
    # Nobody who is not known gets a name here: it would be what a stranger claims.
    identity = fsp.identity or Identity('', '', '')
    return {
        'mount': fsp.mount.name,
        'client': identity.client,
        'client_id': identity.client_id,
        'uid': identity.uid,
        'operation': excerpt(request.method) if operation == OTHER else operation,
        'path': None if context is None else excerpt(str(context)),
    }
