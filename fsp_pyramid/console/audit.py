"""Lines of the audit log for what is done in the console itself; its actions on files have those of the mount."""

import logging
import time
from typing import Any

from pyramid.request import Request

from ..logs import Event, timestamp

log = logging.getLogger('fsp_pyramid.audit')


def record(request: Request, operation: str, **fields: Any) -> None:
    """Log *operation* with its fields, which hold no secret."""
    log.info(
        Event(
            time=timestamp(time.time()),
            support_id=request.fsp_stats.support_id,
            operation=operation,
            via='console',
            address=request.remote_addr,
            **fields,
        )
    )
