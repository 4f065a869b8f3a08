"""Every request of ours is measured, and told in one line of the log when it is answered.

Requests below a mount go to the audit log, which tells who did what. All others, public files and the pages on which
users connect accounts, go to the logger ``fsp_pyramid.access``, at INFO, without their paths: those are secrets.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from .errors import excerpt
from .logs import Event, timestamp

# Ini files name it, so it stays when modules move.
log = logging.getLogger('fsp_pyramid.access')


class NoContext:
    """The context of views that need none."""


def watched(factory: Callable[[Any], Any] = lambda _request: NoContext()) -> Callable[[Any], Any]:
    """The root factory of a route that belongs to no mount: its requests are watched, and *factory* does the rest."""

    def watching(request: Any) -> Any:
        watch(request, log, _operation, _fields)
        return factory(request)

    return watching


def watch(
    request: Any,
    log: logging.Logger,
    operation: Callable[[Any], str],
    fields: Callable[[Any, str], dict[str, Any]],
) -> None:
    """Measure *request* until it is answered, whatever the answer, and after its transaction ended.

    :param operation: its name, of which there are few
    :param fields: what the line says of it besides its outcome and its costs, by request and operation
    """
    began = time.perf_counter()

    def answered(request: Any, response: Any) -> None:
        seconds, fsp, name = time.perf_counter() - began, request.fsp, operation(request)
        fsp.metrics.request_answered(name, response.status_int, fsp.code, seconds)
        if fsp.bytes and response.status_int < 400:
            fsp.metrics.bytes_stored(fsp.bytes)
        if log.isEnabledFor(logging.INFO):
            log.info(
                Event(
                    time=timestamp(time.time()),
                    support_id=fsp.support_id,
                    **fields(request, name),
                    status=response.status_int,
                    code=fsp.code,
                    bytes=fsp.bytes,
                    calls=fsp.calls,
                    waits=round(fsp.waited, 3),
                    seconds=round(seconds, 3),
                    cache=fsp.cache,
                )
            )

    request.add_response_callback(answered)


def _operation(request: Any) -> str:
    return request.matched_route.name


def _fields(request: Any, operation: str) -> dict[str, Any]:
    return {'operation': operation, 'method': excerpt(request.method)}
