"""Telemetry: figures of each request, one log line when it is answered, and log lines for errors.

Requests below a mount go to the audit log, which names user, operation and path. All others (public files, connect
pages) go to the logger ``fsp_pyramid.access``, at INFO, without their paths: those are secrets.
"""

import logging
import random
import time
from collections.abc import Callable, Collection
from typing import Any

from pyramid.httpexceptions import HTTPException
from pyramid.request import Request

from .disk import is_disk_error
from .egnyte import CallInfo
from .errors import BadRequest, Forbidden, FSPError, InternalError, NoRoom, NotFound, excerpt
from .i18n import _
from .interfaces import IRequestHistory
from .logs import Event, timestamp
from .metrics import IMetrics, Metrics
from .reify import reify
from .routing import NoContext
from .storage.cached import CacheLookup

# Ini files name it, so it stays when modules move.
access_log = logging.getLogger('fsp_pyramid.access')

# Outcomes of a look-up in the listing cache, the cheapest first.
COSTS = ('hit', 'stale', 'miss')


class RequestStats:
    """Figures of one request: ``request.fsp_stats``.

    :ivar support_id: 8 hex digits that an error page shows and the log repeats
    :ivar code: of the error that the request was answered with; None for a success
    :ivar bytes: stored by an upload
    :ivar calls: made to Egnyte so far
    :ivar waited: seconds that these calls waited for the rate limiter
    :ivar cache: the costliest outcome of its look-ups in the listing cache: ``hit``, ``stale`` or ``miss``; None
        without a look-up
    """

    def __init__(self, request: Request) -> None:
        self._registry = request.registry
        # No secret; and a system call would let other threads run first.
        self.support_id = f'{random.getrandbits(32):08x}'
        self.code: int | None = None
        self.bytes = 0
        self.calls = 0
        self.waited = 0.0
        self.cache: str | None = None

    @reify
    def metrics(self) -> Metrics:
        """The metrics of the application."""
        return self._registry.getUtility(IMetrics)

    def count_call(self, called: CallInfo) -> None:
        """Count a call to Egnyte."""
        self.calls += 1
        self.waited += called.waited

    def cache_lookup(self, lookup: CacheLookup) -> None:
        """Count a look-up in the listing cache."""
        self.cache = max(self.cache or lookup.outcome, lookup.outcome, key=COSTS.index)
        self.metrics.cache_lookup(lookup.outcome)


def with_access_log(
    factory: Callable[[Request], Any] = NoContext, reads: Collection[str] = ()
) -> Callable[[Request], Any]:
    """Return a root factory that logs its requests to the access log and leaves the context to *factory*.

    :param reads: as in :func:`log_request`
    """

    def logging_factory(request: Request) -> Any:
        log_request(request, access_log, _operation, _fields, reads)
        return factory(request)

    return logging_factory


def log_request(
    request: Request,
    log: logging.Logger,
    operation: Callable[[Request], str],
    fields: Callable[[Request, str], dict[str, Any]],
    reads: Collection[str],
) -> None:
    """Log and count *request* when it is answered, in success and failure, after its transaction ended.

    :param operation: returns the operation's name, one of few
    :param fields: returns the fields of the line besides outcome and costs, by request and operation
    :param reads: operations that change nothing: the line of a success may wait
    """
    began = time.perf_counter()

    def answered(request: Request, response: Any) -> None:
        seconds, stats, name = time.perf_counter() - began, request.fsp_stats, operation(request)
        status = response.status_int
        stats.metrics.request_answered(name, status, stats.code, seconds)
        if stats.bytes and status < 400:
            stats.metrics.bytes_stored(stats.bytes)
        history = request.registry.queryUtility(IRequestHistory)
        if history is None and not log.isEnabledFor(logging.INFO):
            return
        event = Event(
            time=timestamp(time.time()),
            support_id=stats.support_id,
            **fields(request, name),
            status=status,
            code=stats.code,
            bytes=stats.bytes,
            calls=stats.calls,
            waits=round(stats.waited, 3),
            seconds=round(seconds, 3),
            cache=stats.cache,
        )
        event.may_wait = name in reads and status < 400
        log.info(event)
        if history is not None:
            history.record(event)

    request.add_response_callback(answered)


def _operation(request: Request) -> str:
    return request.matched_route.name


def _fields(request: Request, operation: str) -> dict[str, Any]:
    return {'operation': operation, 'method': excerpt(request.method)}


def to_fsp_error(exception: Exception) -> FSPError:
    """Return the error to answer *exception* with: itself, or a general one that reveals nothing of it."""
    if isinstance(exception, FSPError):
        return exception
    if isinstance(exception, HTTPException):  # the host's tweens and subscribers may raise those
        classes = {401: Forbidden, 403: Forbidden, 404: NotFound}
        default = BadRequest if exception.code < 500 else InternalError
        return classes.get(exception.code, default)(str(exception.detail or exception.title))
    return NoRoom() if is_disk_error(exception) else InternalError()


def with_support_id(details: str, support_id: str) -> str:
    """Return the details of an error with the support id that the log repeats."""
    return _('details-with-support-id', '${details} (support id ${support_id})', details=details, support_id=support_id)


def log_error(log: logging.Logger, exception: Exception, answer: FSPError, request: Request, subject: str) -> None:
    """Log *exception* and its answer with the support id, and with a traceback if it is unexpected.

    :param subject: of the request: a path, or the name of a route where the path is secret
    """
    support_id, expected = request.fsp_stats.support_id, isinstance(exception, FSPError | HTTPException)
    if not expected and isinstance(answer, NoRoom):
        method = excerpt(request.method)
        log.error('support id %s: %s %s: a disk fails: %s', support_id, method, subject, exception)
        return
    log.log(
        log_level(answer),
        'support id %s: %s %s: %d/%d %s%s',
        support_id,
        excerpt(request.method),
        subject,
        answer.status,
        answer.code,
        answer.title,
        cause_suffix(exception.__cause__) if expected else '',
        exc_info=None if expected else exception,
    )


def log_level(answer: FSPError) -> int:
    """Return ERROR for our own failures, WARNING for Egnyte's, INFO for the caller's."""
    if isinstance(answer, InternalError):
        return logging.ERROR
    return logging.WARNING if answer.status >= 500 else logging.INFO


def cause_suffix(cause: BaseException | None) -> str:
    """Return the cause of an error (an error of Egnyte's or of a source) for the end of a log line; '' for None."""
    # A source's text is for users and says little; its reason is for the log.
    return '' if cause is None else f' ({type(cause).__name__}: {excerpt(str(getattr(cause, "reason", cause)))})'


def raw_path(request: Request) -> str:
    """Return the undecoded path for the log: its bytes may not be text. File names are not secret, queries may be."""
    return excerpt(request.environ.get('PATH_INFO', '').encode('unicode_escape').decode())
