"""``/pubapi/v1/userinfo``, ``/pubapi/v1/whoami`` and ``/rest/public/1.0/env-pub``: who is who."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from .. import oauth
from ..call import Call
from ..links import DOMAIN
from ..routing import add_resource


def userinfo(request: Request) -> dict[str, Any]:
    """Return the user for whom the call is made."""
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
    """Return the token: whose it is, and through which application it was given."""
    call: Call = request.call
    return {
        'clientId': call.client_id,
        'username': call.user.username,
        'domain': DOMAIN,
        'scopes': oauth.scopes(request.db, request.token),
    }


def domain(_request: Request) -> dict[str, Any]:
    """Return the domain behind a customer's own host name, without a token."""
    return {'workgroup': {'name': DOMAIN}}


def includeme(config: Configurator) -> None:
    """Users and the domain."""
    add_resource(config, 'userinfo', '/pubapi/v1/userinfo', GET=userinfo)
    add_resource(config, 'whoami', '/pubapi/v1/whoami', GET=whoami)
    add_resource(config, 'env-pub', '/rest/public/1.0/env-pub', GET=domain)
