"""The audit log: one JSON object a line for each request below a mount, on a logger of its own.

The logger is ``fsp_pyramid.audit``, at INFO. A line tells who did what to which path and how it ended; never a
password, a token or the source of an upload.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from .model import Identity
from .resources import Directory

log = logging.getLogger(__name__)

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


def watch(request: Any) -> None:
    """Log *request* when it is answered, whatever the answer and after its transaction ended."""
    if log.isEnabledFor(logging.INFO):
        request.add_response_callback(_write)


def _write(request: Any, response: Any) -> None:
    fsp, context = request.fsp, getattr(request, 'context', None)
    # Nobody who is not known gets a name here: it would be what a stranger claims.
    identity = fsp.identity or Identity('', '', '')
    line = {
        'time': datetime.now(UTC).isoformat(timespec='milliseconds'),
        'support_id': fsp.support_id,
        'mount': fsp.mount.name,
        'client': identity.client,
        'client_id': identity.client_id,
        'uid': identity.uid,
        'operation': OPERATIONS.get((isinstance(context, Directory), request.method), request.method),
        'path': None if context is None else str(context),
        'status': response.status_int,
        'code': fsp.code,
        'bytes': fsp.bytes,
        'calls': fsp.calls,
    }
    log.info(json.dumps(line, ensure_ascii=False))
