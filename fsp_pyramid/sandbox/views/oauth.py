"""``/puboauth``, ``/services/oauth/code`` and ``/pubapi/v1/tokens``: a user's consent, and tokens."""

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response

from .. import (
    consent,
    limits,
    oauth,
    pages,
    users,
)
from ..gate import STORE
from ..incoming import json_object
from ..routing import add_resource
from ..store import writing


def ask(request: Request) -> Response:
    """Return the page on which the user logs in and decides."""
    question = consent.asked(request.GET)
    if question.unknown_scopes:
        return _see(question.answer(error='invalid_scope'))
    return pages.consent(question, _path(request, 'authorize'))


def decide(request: Request) -> Response:
    """Take the user's decision back to the application."""
    question, form = consent.asked(request.GET), _form(request)
    if form.get('decision') == 'deny':
        return _see(question.answer(error='access_denied'))
    username = form.get('username', '')
    user = users.by_password(request.db, username, form.get('password', ''))
    if user is None:
        error = 'The user name or the password is wrong.'
        return pages.consent(question, _path(request, 'authorize'), username=username, error=error)
    with writing(request.db):
        code = consent.allow(request.db, user, question, request.environ[STORE].options.now())
    return _see(question.answer(code=code))


def ask_domain(request: Request) -> Response:
    """Return the page of the Enhanced Auth Service that asks for the user's domain."""
    consent.asked(request.GET)
    return pages.which_domain(_path(request, 'service'), request.host)


def choose_domain(request: Request) -> Response:
    """On to that domain with the same parameters; this sandbox knows only itself."""
    consent.asked(request.GET)
    domain = _form(request).get('domain', '').strip()
    if domain.lower() != request.host.lower():
        error = f'There is no domain “{domain}” here.'
        return pages.which_domain(_path(request, 'service'), request.host, domain=domain, error=error)
    return _see(_path(request, 'authorize'))


def unanswerable(error: consent.Unanswerable, _request: Request) -> Response:
    """Return the page for a question that is not put."""
    return pages.unanswerable(str(error))


def token(request: Request) -> dict[str, Any]:
    """Issue a token for a grant. Raises ApiError in OAuth's own shape."""
    options, form = request.environ[STORE].options, _form(request)
    limits.count_grant(request.db, form.get('client_id', ''), options)
    with writing(request.db):
        return oauth.grant(request.db, form, options, options.now())


def revoke(request: Request) -> Response:
    """End a token."""
    with writing(request.db):
        oauth.revoke(request.db, _form(request))
    return Response(status=200)


def _form(request: Request) -> dict[str, str]:
    # Egnyte's Python client sends JSON and calls it a form.
    if request.body.startswith(b'{'):
        return {name: str(value) for name, value in json_object(request).items()}
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _path(request: Request, route: str) -> str:
    """Another place, with the parameters of this one."""
    return request.route_path(route, _query=list(request.GET.items()))


def _see(location: str) -> Response:
    return HTTPSeeOther(location, headers=pages.HEADERS)


def includeme(config: Configurator) -> None:
    """Pages and tokens. The documentation has the consent page where tokens are, newer tools expect it elsewhere."""
    add_resource(config, 'token', '/puboauth/token', GET=ask, POST=token)
    add_resource(config, 'authorize', '/puboauth/authorize', GET=ask, POST=decide)
    add_resource(config, 'service', '/services/oauth/code', GET=ask_domain, POST=choose_domain)
    add_resource(config, 'revoke', '/pubapi/v1/tokens/revoke', POST=revoke)
    config.add_exception_view(unanswerable, context=consent.Unanswerable)
