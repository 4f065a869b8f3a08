"""Endpoints below ``fsp.ops.prefix``, one set for all mounts: health, readiness, metrics and the OpenAPI document."""

import logging
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError, URLDecodeError
from pyramid.httpexceptions import HTTPException
from pyramid.request import Request
from pyramid.response import Response

from .._version import version
from ..errors import excerpt
from ..metrics import IMetrics, Metrics
from ..routing import NoContext, add_own_view, full_path
from ..settings import Settings
from ..telemetry import raw_path
from .authorization import OpsAuthorization
from .checks import Readiness

if TYPE_CHECKING:
    from .prometheus import PrometheusMetrics

HEALTH_ROUTE, READY_ROUTE, METRICS_ROUTE, OPENAPI_ROUTE = 'fsp_health', 'fsp_ready', 'fsp_metrics', 'fsp_openapi'
log = logging.getLogger(__name__)


def add_ops(config: Configurator, settings: Settings) -> None:
    """Register ``health``, ``ready``, ``openapi.yaml`` and, if ``fsp.ops.metrics`` is on, ``metrics``.

    Raises ConfigurationError if metrics are on and their extra is missing. Does no I/O.
    """
    authorization, readiness = OpsAuthorization(settings), Readiness(settings)
    _add(config, HEALTH_ROUTE, f'{settings.ops.prefix}/health', health)
    _add(config, READY_ROUTE, f'{settings.ops.prefix}/ready', lambda request: ready(request, authorization, readiness))
    _add(config, OPENAPI_ROUTE, f'{settings.ops.prefix}/openapi.yaml', describe)
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
    metrics = prometheus.make_metrics()
    config.registry.registerUtility(metrics, IMetrics)
    _add(
        config,
        METRICS_ROUTE,
        f'{settings.ops.prefix}/metrics',
        lambda request: export_metrics(request, authorization, metrics),
    )


def _add(config: Configurator, route: str, pattern: str, view: Callable[[Request], Response]) -> None:
    config.add_route(route, pattern, factory=NoContext)
    add_own_view(config, view, route, request_method='GET')
    add_own_view(config, method_not_allowed, route)
    config.add_exception_view(failed, context=Exception, route_name=route)


def health(_request: Request) -> Response:
    """Report that the process is up. Nothing else is checked."""
    return _answer({'status': 'ok', 'version': version})


def ready(request: Request, authorization: OpsAuthorization, readiness: Readiness) -> Response:
    """Report whether requests would succeed; the single checks are for authorized callers only."""
    verdicts = readiness.verdicts(request)
    is_ready = all(verdict.ok for verdict in verdicts.values())
    body: dict[str, Any] = {'status': 'ok' if is_ready else 'not ready'}
    if authorization.permits(request):
        body['checks'] = [{'name': name, **verdict._asdict()} for name, verdict in verdicts.items()]
    return _answer(body, 200 if is_ready else 503)


def export_metrics(request: Request, authorization: OpsAuthorization, metrics: 'PrometheusMetrics') -> Response:
    """Export the metrics, in the format of Prometheus."""
    if not authorization.permits(request):
        status = 401 if authorization.token else 403
        return _answer({'status': 'refused', 'details': authorization.remedy}, status, authorization.challenge)
    text, content_type = metrics.exposition(request.headers.get('Accept', ''))
    return Response(text, headerlist=[('Content-Type', content_type), ('Cache-Control', 'no-store')])


def describe(_request: Request) -> Response:
    """Return the OpenAPI document of the protocol and of public files. It is the same for every installation."""
    document = files(__name__).joinpath('static', 'openapi.yaml').read_bytes()
    headers = [('Content-Type', 'application/yaml'), ('Cache-Control', 'no-store')]  # the type: RFC 9512
    return Response(document, headerlist=headers)


def method_not_allowed(_request: Request) -> Response:
    """Refuse all methods but GET and HEAD."""
    return _answer({'status': 'method not allowed'}, 405, {'Allow': 'GET, HEAD'})


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    log.info('%s %s: 400, the path is no UTF-8', excerpt(request.method), raw_path(request))
    return _answer({'status': 'bad request'}, 400)


def failed(exception: Exception, request: Request) -> Response:
    """Answer any exception, including those of the host's subscribers."""
    if isinstance(exception, HTTPException):
        return _answer({'status': exception.title}, exception.code)
    log.error('%s %s failed', excerpt(request.method), request.matched_route.name, exc_info=exception)
    return _answer({'status': 'failed'}, 503)


def _answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(json_body=body, status=status)
    response.headers.update({'Cache-Control': 'no-store', **(headers or {})})
    return response
