"""What operators ask: is it up, is it ready, what does it do. Below ``fsp.ops.prefix``, one for all mounts."""

import logging
from collections.abc import Callable
from typing import Any

from pyramid.exceptions import ConfigurationError, URLDecodeError
from pyramid.httpexceptions import HTTPException
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from .._version import version
from ..errors import excerpt
from ..interfaces import IMetrics
from ..metrics import Metrics
from ..protocol.error_views import path_of
from ..protocol.mount import full_path
from ..settings import Settings
from ..telemetry import NoContext
from .authorization import OpsAuthorization
from .checks import Readiness

HEALTH_ROUTE, READY_ROUTE, METRICS_ROUTE = 'fsp_health', 'fsp_ready', 'fsp_metrics'
log = logging.getLogger(__name__)


def add_ops(config: Any, settings: Settings) -> None:
    """Answer ``health``, ``ready`` and, where ``fsp.ops.metrics`` is on, ``metrics``.

    Raises ConfigurationError where metrics are on and their extra is missing. Does no I/O.
    """
    trust, readiness = OpsAuthorization(settings), Readiness(settings)
    _add(config, HEALTH_ROUTE, f'{settings.ops.prefix}/health', health)
    _add(config, READY_ROUTE, f'{settings.ops.prefix}/ready', lambda request: ready(request, trust, readiness))
    config.add_exception_view(undecodable, context=URLDecodeError, fsp_mount=full_path(config, settings.ops.prefix))
    if not settings.ops.metrics:
        config.registry.registerUtility(Metrics(), IMetrics)
        return
    try:
        from . import prometheus
    except ImportError as error:
        raise ConfigurationError(
            f'fsp.ops.metrics = true needs more packages: pip install "fsp-pyramid[metrics]" ({error})'
        ) from error
    metrics = prometheus.make_meter()
    config.registry.registerUtility(metrics, IMetrics)
    _add(config, METRICS_ROUTE, f'{settings.ops.prefix}/metrics', lambda request: measures(request, trust, metrics))


def _add(config: Any, route: str, pattern: str, view: Callable[[Any], Response]) -> None:
    # A factory of our own: the host's may ask its database.
    config.add_route(route, pattern, factory=lambda _request: NoContext())
    for found, method in ((view, 'GET'), (method_not_allowed, None)):
        config.add_view(
            found,
            route_name=route,
            permission=NO_PERMISSION_REQUIRED,
            require_csrf=False,
            **({'request_method': method} if method else {}),
        )
    config.add_exception_view(failed, context=Exception, route_name=route)


def health(_request: Any) -> Response:
    """The process is up. Nothing else is looked at."""
    return _answer({'status': 'ok', 'version': version})


def ready(request: Any, trust: OpsAuthorization, readiness: Readiness) -> Response:
    """Whether requests would succeed. Why not is told to those alone who may know it."""
    verdicts = readiness.verdicts(request)
    is_ready = all(verdict.ok for verdict in verdicts.values())
    body: dict[str, Any] = {'status': 'ok' if is_ready else 'not ready'}
    if trust.admits(request):
        body['checks'] = [{'name': name, **verdict._asdict()} for name, verdict in verdicts.items()]
    return _answer(body, 200 if is_ready else 503)


def measures(request: Any, trust: OpsAuthorization, metrics: Any) -> Response:
    """What was counted, in the format of Prometheus."""
    if not trust.admits(request):
        return _answer({'status': 'refused', 'details': trust.remedy}, 401 if trust.token else 403, trust.challenge)
    text, content_type = metrics.exposition(request.headers.get('Accept', ''))
    return Response(text, headerlist=[('Content-Type', content_type), ('Cache-Control', 'no-store')])


def method_not_allowed(_request: Any) -> Response:
    """Whatever is neither GET nor HEAD."""
    return _answer({'status': 'method not allowed'}, 405, {'Allow': 'GET, HEAD'})


def undecodable(_exception: Exception, request: Any) -> Response:
    """Answer a URL that is no UTF-8: Pyramid finds that out before it matches routes."""
    log.info('%s %s: 400, the path is no UTF-8', excerpt(request.method), path_of(request))
    return _answer({'status': 'bad request'}, 400)


def failed(exception: Exception, request: Any) -> Response:
    """Any exception, also that of somebody else's subscriber."""
    if isinstance(exception, HTTPException):
        return _answer({'status': exception.title}, exception.code)
    log.error('%s %s failed', excerpt(request.method), request.matched_route.name, exc_info=exception)
    return _answer({'status': 'failed'}, 503)


def _answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(json_body=body, status=status)
    response.headers.update({'Cache-Control': 'no-store', **(headers or {})})
    return response
