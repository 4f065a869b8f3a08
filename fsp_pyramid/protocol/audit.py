"""Audit log: one JSON object per line for each request below a mount, on a logger of its own.

The logger is ``fsp_pyramid.audit``, at INFO. A line has user, operation, path and outcome; never a password, a token or
the source of an upload.
"""

import logging
from typing import Any

from pyramid.request import Request

from .. import telemetry
from ..errors import excerpt
from ..model import Identity
from .internal import internal_call
from .resources import Directory

# Ini files name it, so it stays when modules move.
log = logging.getLogger('fsp_pyramid.audit')

# By (context is a directory, method).
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
READS = frozenset({'list', 'metadata'})


def log_request(request: Request) -> None:
    """Log *request* when it is answered, in success and failure, after its transaction ended."""
    telemetry.log_request(request, log, _operation, _fields, READS)


def _operation(request: Request) -> str:
    context = getattr(request, 'context', None)
    return OPERATIONS.get((isinstance(context, Directory), request.method), OTHER)


def _fields(request: Request, operation: str) -> dict[str, Any]:
    fsp, context = request.fsp, getattr(request, 'context', None)
    # Empty for a caller without valid credentials: the headers are then only a claim.
    identity = fsp.identity or Identity('', '', '')
    return {
        'mount': fsp.mount.name,
        'client': identity.client,
        'client_id': identity.client_id,
        'uid': identity.uid,
        'operation': excerpt(request.method) if operation == OTHER else operation,
        'path': None if context is None else excerpt(str(context)),
        **({'via': call.via} if (call := internal_call(request)) else {}),
    }
