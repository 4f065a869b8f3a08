"""Steps of every call before and after its view: identity, limits, faults, the log."""

import ipaddress
import sqlite3
import time
from collections.abc import Callable
from uuid import uuid4

from pyramid.request import Request
from pyramid.response import Response

from . import (
    calls,
    faults,
    limits,
    users,
)
from .call import Call
from .errors import ApiError, refused
from .users import User

Handler = Callable[[Request], Response]
CONTROL, API = '/_sandbox/', '/pubapi/'
# Keys of the environ, set by the application.
STORE, PATH = 'fsp_pyramid.sandbox.store', 'fsp_pyramid.sandbox.path'


def recorder(handler: Handler, _registry: object) -> Handler:
    """Return the outer tween, which opens a connection for the call and adds the common headers."""

    def tween(request: Request) -> Response:
        path = request.environ[PATH]
        with request.environ[STORE].connection() as db:
            request.db, request.token, request.usage, request.fault = db, None, None, None
            response = handler(request)
            if not path.startswith(CONTROL):
                response = _finish(request, response)
                now = request.environ[STORE].options.clock()
                calls.record(db, now, request.method, path, response.status_code, request.token)
        return response

    return tween


def _finish(request: Request, response: Response) -> Response:
    if request.fault and (answer := request.fault.answer):
        if hasattr(response.app_iter, 'close'):
            response.app_iter.close()  # it may be a file, which nobody reads now
        return faults.response_of(answer)
    response.headers['X-Egnyte-Request-Id'] = uuid4().hex
    if request.usage:
        options = request.environ[STORE].options
        response.headers.update(limits.headers(request.usage, options))
    if request.fault and request.fault.kind == 'drop':
        faults.cut(response)
    return response


def gatekeeper(handler: Handler, _registry: object) -> Handler:
    """Return the inner tween: a caller that passes has been identified and counted. Raises ApiError."""

    def tween(request: Request) -> Response:
        path = request.environ[PATH]
        if path.startswith(CONTROL):
            _require_loopback(request)
            return handler(request)
        if path.startswith(API):
            _identify(request)
        _inject(request, path)
        answer = request.fault and request.fault.answer
        if answer and not answer.get('carried_out'):
            return Response()  # the recorder puts what was ordered in its place
        return handler(request)

    return tween


def _require_loopback(request: Request) -> None:
    address = request.environ.get('REMOTE_ADDR')  # absent where the sandbox is embedded
    if address and not _is_loopback(address):
        raise refused(403, 'Only for this machine')


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _identify(request: Request) -> None:
    """Return the caller by the token, and count the call."""
    store = request.environ[STORE]
    scheme, _, token = request.headers.get('Authorization', '').partition(' ')
    found = users.by_token(request.db, token.strip(), store.options.now())
    if scheme.lower() != 'bearer' or found is None:
        raise ApiError(401, {'errorMessage': 'Invalid or expired access token'})
    request.token = token.strip()
    try:
        request.usage = limits.count(request.db, request.token, store.options)
    except limits.Throttled as error:
        request.usage = error.usage
        raise limits.refusal(error, store.options) from error
    user, client_id = found
    request.call = Call(store, request.db, _acting(request, user), client_id)


def _acting(request: Request, user: User) -> User:
    """Return the user for whom an administrator acts, or the caller."""
    for header, column in (('X-Egnyte-Act-As', 'username'), ('X-Egnyte-Act-As-Email', 'email')):
        if name := request.headers.get(header):
            return _impersonated(request.db, user, column, name)
    return user


def _impersonated(db: sqlite3.Connection, user: User, column: str, name: str) -> User:
    if not user.is_admin:
        raise refused(403, 'Only administrators may act as somebody else')
    other = users.user(db, column, name)
    if other is None or not other.active:
        raise refused(400, 'The user to act as does not exist')
    return other


def _inject(request: Request, path: str) -> None:
    """Let happen what was ordered with a fault, and the general latency."""
    options = request.environ[STORE].options
    request.fault = fault = faults.take(request.db, request.method, path)
    delay = options.latency
    if fault and fault.kind == 'latency':
        delay += fault.value or 0
    if delay:
        time.sleep(delay)
    if fault and fault.kind == 'status':
        raise faults.refusal(fault)
