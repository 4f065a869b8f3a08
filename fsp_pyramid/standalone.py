"""Standalone application: messages of commands, and short answers outside of our prefixes.

The answers repeat nothing of the request.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError, URLDecodeError
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.request import Request
from pyramid.response import Response

from .errors import excerpt
from .interfaces import IAccountStores
from .public import routes
from .routing import NoContext, add_own_view
from .telemetry import raw_path

ROUTE = 'fsp_elsewhere'
# The "__script__" of our commands, which load the application and serve nothing.
COMMAND = 'fsp'
log = logging.getLogger(__name__)


@contextmanager
def ending_commands(global_config: Mapping[str, Any]) -> Iterator[None]:
    """End Pyramid's commands (``pserve`` and others) with the message of a ConfigurationError, without a traceback."""
    try:
        yield
    except ConfigurationError as error:
        if '__script__' not in global_config:  # another server, which reports the error itself
            raise
        # Pyramid wraps errors of the commit in a ConfigurationExecutionError.
        raise SystemExit(str(getattr(error, 'evalue', error))) from None


def add_elsewhere(config: Configurator, prefix: str) -> None:
    """Answer every URL that no other route matches. For the standalone application only, after all other routes.

    :param prefix: of the mount, whose route matches everything below it
    """
    # A route of its own, because Pyramid's traversal caches up to 1,000 paths of any length. It leaves the mount out,
    # because pviews shows the last of all routes whose pattern matches.
    config.add_route(ROUTE, rf'/{{path:(?!{re.escape(prefix[1:])}(?:/|\Z))(?s:.*)}}', factory=NoContext)
    add_own_view(config, not_found, ROUTE)
    config.add_exception_view(undecodable, context=URLDecodeError)


def share_request_class(config: Configurator) -> None:
    """Give all requests one class that has what ``add_request_method`` added, after all of that was added.

    Pyramid makes a class for each request instead (``InstancePropertyHelper``), which costs a fifth of a listing from
    memory: no look-up of an attribute is cached for a new class. For the standalone application only, as requests have
    to be made by the factory.
    """
    config.commit()
    extensions = config.registry.getUtility(IRequestExtensions)
    parent = config.registry.queryUtility(IRequestFactory, default=Request)
    attributes = {'__module__': parent.__module__} | extensions.descriptors | extensions.methods
    config.set_request_factory(type('Request', (parent,), attributes))
    extensions.descriptors.clear()
    extensions.methods.clear()


def wants_transaction(request: Request) -> bool:
    """Return whether a request needs a transaction: no public file, and no read without a database of accounts."""
    if request.method in {'GET', 'HEAD'} and request.registry.queryUtility(IAccountStores) is None:
        return False
    return routes.wants_transaction(request)


def not_found(_request: Request) -> Response:
    """Answer a URL without a resource."""
    return _answer(404, 'There is nothing here.')


def undecodable(_exception: Exception, request: Request) -> Response:
    """Answer a URL that is not UTF-8. Pyramid raises for it before it matches routes."""
    log.info('%s %s: 400, the path is no UTF-8', excerpt(request.method), raw_path(request))
    return _answer(400, 'The path of this request is no UTF-8.')


def _answer(status: int, text: str) -> Response:
    response = Response(text, status=status, content_type='text/plain', charset='utf-8')
    response.headers['Cache-Control'] = 'no-store'
    return response
