"""Responses to exceptions."""

import errno
import logging

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from webob.request import DisconnectionError

from ..errors import ApiError, refused
from ..gate import STORE

log = logging.getLogger(__name__)

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
SQLITE_DISK = ('SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_READONLY')


def api_error(error: ApiError, _request: Request) -> Response:
    """Return the error as it describes itself."""
    if isinstance(error.body, str):
        response = Response(error.body, status=error.status, content_type='text/html')
    else:
        response = Response(json_body=error.body, status=error.status)
    response.headers.update(error.headers)
    return response


def no_route(_error: HTTPNotFound, request: Request) -> Response:
    """No such URL, or not with this method."""
    return api_error(refused(404, 'No such resource'), request)


def undecodable(_error: UnicodeDecodeError, request: Request) -> Response:
    """Answer a request whose path, query or form is not UTF-8."""
    return api_error(refused(400, 'The request is not UTF-8'), request)


def broken_body(_error: DisconnectionError | ConnectionError, request: Request) -> Response:
    """Return the client went away before it had sent all that it announced."""
    return api_error(refused(400, 'The body is incomplete'), request)


def unexpected(error: Exception, request: Request) -> Response:
    """Answer after a failure of the sandbox or of its disk."""
    if getattr(error, 'errno', None) in DISK or getattr(error, 'sqlite_errorname', '').startswith(SQLITE_DISK):
        log.error('the disk of the sandbox, %s, fails: %s', request.environ[STORE].options.root, error)
        return api_error(refused(507, 'Insufficient storage'), request)
    log.error('unexpected error', exc_info=error)
    return api_error(refused(500, 'Internal server error'), request)


def includeme(config: Configurator) -> None:
    """Register a view for everything that may be raised."""
    config.add_exception_view(api_error, context=ApiError)
    config.add_exception_view(no_route, context=HTTPNotFound)
    config.add_exception_view(undecodable, context=UnicodeDecodeError)
    config.add_exception_view(broken_body, context=DisconnectionError)
    config.add_exception_view(broken_body, context=ConnectionError)
    config.add_exception_view(unexpected, context=Exception)
