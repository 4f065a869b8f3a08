"""``/pubapi/v1/userinfo``, ``/pubapi/v1/whoami`` and ``/puboauth/token``: who is who."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import oauth
from ..call import Call
from ..gate import STORE
from ..incoming import json_object
from ..links import DOMAIN
from ..routing import add_resource
from ..store import writing


def userinfo(request: Request) -> dict[str, Any]:
    """The user for whom the call is made."""
    user = request.call.user
    return {
        'id': user.id,
        'first_name': user.first_name,
        'last_name': user.last_name,
        'username': user.username,
        'user_type': user.user_type,
        'email': user.email,
    }


def whoami(request: Request) -> dict[str, Any]:
    """The token: whose it is, and through which application it was given."""
    call: Call = request.call
    return {
        'clientId': call.client_id,
        'username': call.user.username,
        'domain': DOMAIN,
        'scopes': oauth.scopes(request.db, request.token),
    }


def token(request: Request) -> dict[str, Any]:
    """A token for a grant. Raises ApiError in OAuth's own shape."""
    options = request.environ[STORE].options
    with writing(request.db):
        return oauth.grant(request.db, _form(request), options, options.now())


def _form(request: Request) -> dict[str, str]:
    # Egnyte's Python client sends JSON and calls it a form.
    if request.body.startswith(b'{'):
        return {name: str(value) for name, value in json_object(request).items()}
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def includeme(config: Configurator) -> None:
    """Identity and tokens."""
    add_resource(config, 'userinfo', '/pubapi/v1/userinfo', GET=userinfo)
    add_resource(config, 'whoami', '/pubapi/v1/whoami', GET=whoami)
    add_resource(config, 'token', '/puboauth/token', POST=token)
