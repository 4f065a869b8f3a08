"""OAuth 2 at Egnyte: authorization URLs, and exchange, refresh and revocation of tokens.

Written by hand because OAuth libraries take Egnyte's ``expires_in: -1`` for expired. Codes, tokens and secrets are
sent in bodies and headers only, which are never logged.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests

from .errors import (
    EgnyteError,
    GrantRefused,
    Throttled,
    from_response,
    retry_after,
)
from .provenance import json_object
from .transport import send, succeeded, understood

# RFC 6749's word, and those of Apigee, which is one of Egnyte's gateways.
REFUSED_GRANT = re.compile(
    r'invalid_grant|(?:invalid|expired) (?:refresh token|authorization code)'
    r'|(?:refresh token|authorization code) (?:is )?(?:invalid|expired)',
    re.IGNORECASE,
)
WORKGROUP = re.compile(r'[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Application:
    """API key with its secret. *scope* is separated by spaces; '' asks for all scopes of the key."""

    key: str
    secret: str = field(repr=False)
    scope: str = 'Egnyte.filesystem'


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a user's consent. *expires_at* is in UNIX seconds, None for an access token without an expiry."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: float | None


def authorize_url(base_url: str, application: Application, redirect_uri: str, state: str) -> str:
    """Return the authorization URL for a user of the domain *base_url* (``https://acme.egnyte.com``).

    Egnyte redirects to *redirect_uri*, https and registered with the key, with ``code`` or ``error``, and ``state``.
    """
    # The documentation has the path of the token endpoint for both; newer tools use /puboauth/authorize.
    return service_authorize_url(f'{base_url}/puboauth/token', application, redirect_uri, state)


def service_authorize_url(service_url: str, application: Application, redirect_uri: str, state: str) -> str:
    """Return the authorization URL at the Enhanced Auth Service, which asks the user for the domain.

    :param service_url: ``https://partner-integrations.egnyte.com/services/oauth/code`` (EU) or its US sibling
    """
    parameters = {
        'client_id': application.key,
        'redirect_uri': redirect_uri,
        'response_type': 'code',
        'state': state,
    }
    return f'{service_url}?{urlencode(parameters | _scope(application), quote_via=quote)}'


def exchange(
    session: requests.Session,
    base_url: str,
    application: Application,
    code: str,
    redirect_uri: str,
    *,
    timeout: float,
    now: float,
) -> Tokens:
    """Exchange a code for tokens. A code is valid for a minute or two and can be used once.

    :param redirect_uri: the same as in :func:`authorize_url`
    :param timeout: seconds that Egnyte may stay silent
    :param now: UNIX seconds, taken before the call

    Raises GrantRefused (ask for consent again), Throttled (100 requests an hour and key), Unauthorized or Rejected (the
    application is misconfigured), Unavailable, Unreachable.
    """
    grant = {'grant_type': 'authorization_code', 'code': code, 'redirect_uri': redirect_uri}
    grant |= _scope(application)
    return _ask(session, base_url, application, grant, timeout, lambda answer: _tokens(answer, now))


def grant_password(
    session: requests.Session,
    base_url: str,
    application: Application,
    username: str,
    password: str,
    *,
    timeout: float,
    now: float,
) -> Tokens:
    """Exchange a user's password for tokens, which Egnyte allows to keys of the user's own company.

    Keys of before 2015 have no secret. Raises as :func:`exchange` does; GrantRefused means a wrong user or password.
    """
    grant = {'grant_type': 'password', 'username': username, 'password': password} | _scope(application)
    return _ask(session, base_url, application, grant, timeout, lambda answer: _tokens(answer, now))


def refresh(
    session: requests.Session, base_url: str, application: Application, tokens: Tokens, *, timeout: float, now: float
) -> Tokens:
    """Exchange the refresh token in *tokens* for new tokens, which invalidates it.

    Raises as :func:`exchange` does; GrantRefused means that the user has to connect again. After Unreachable the
    refresh token may be invalid: only a second try tells.
    """
    if tokens.refresh is None:
        raise GrantRefused('there is no refresh token')
    grant = {'grant_type': 'refresh_token', 'refresh_token': tokens.refresh}
    return _ask(session, base_url, application, grant, timeout, lambda answer: _tokens(answer, now, tokens.refresh))


def revoke(
    session: requests.Session, base_url: str, application: Application, tokens: Tokens, *, timeout: float
) -> None:
    """Revoke the access token, and with it the refresh token. Raises Unauthorized if it was invalid already."""
    _send(
        session,
        'POST',
        f'{base_url}/pubapi/v1/tokens/revoke',
        timeout,
        data={'token': tokens.access, 'client_secret': application.secret},
        headers={'Authorization': f'Bearer {tokens.access}'},
    )


def resolve_domain(session: requests.Session, base_url: str, *, timeout: float) -> str:
    """Return the Egnyte host (``acme.egnyte.com``) behind a customer's own (*base_url*: ``https://files.acme.com``).

    The request goes to that host: the caller decides if it is allowed. Raises EgnyteError if it is not Egnyte's.
    """
    response = _send(session, 'GET', f'{base_url}/rest/public/1.0/env-pub', timeout)
    answer = understood(response, 'GET', json_object)
    workgroup = answer.get('workgroup')
    name = workgroup.get('name') if isinstance(workgroup, dict) else None
    if not isinstance(name, str) or not WORKGROUP.fullmatch(name):
        raise EgnyteError('the answer names no domain of Egnyte', status=200)
    return f'{name.lower()}.egnyte.com'


def _scope(application: Application) -> dict[str, str]:
    return {'scope': application.scope} if application.scope else {}


def _ask(
    session: requests.Session,
    base_url: str,
    application: Application,
    grant: dict[str, str],
    timeout: float,
    read: Callable[[dict[str, Any]], Tokens],
) -> Tokens:
    form = grant | {'client_id': application.key}
    form |= {'client_secret': application.secret} if application.secret else {}
    response = _send(session, 'POST', f'{base_url}/puboauth/token', timeout, data=form)
    return understood(response, 'POST', lambda response: read(json_object(response)))


def _tokens(answer: dict[str, Any], now: float, last_refresh: str | None = None) -> Tokens:
    """Return the tokens of either generation: 30 days with a refresh token, or ``expires_in: -1`` without.

    Raises ValueError for an answer without tokens.
    """
    access, refresh_token = answer.get('access_token'), answer.get('refresh_token') or last_refresh
    if not isinstance(access, str) or not access or not isinstance(refresh_token, str | None):
        raise ValueError('no tokens')
    seconds = _seconds(answer.get('expires_in'))
    # Without a refresh token an expiry cannot be acted on: the token is used until it is refused.
    return Tokens(access, refresh_token, now + seconds if seconds > 0 and refresh_token else None)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return seconds if math.isfinite(seconds) else 0


def _send(session: requests.Session, method: str, url: str, timeout: float, **kwargs: Any) -> requests.Response:
    response = send(session, method, url, timeout, **kwargs)
    if not succeeded(response):
        raise _refusal(response, method)
    return response


def _refusal(response: requests.Response, method: str) -> EgnyteError:
    """Return the exception for an unsuccessful answer; 409 and "invalid_grant" have a meaning of their own here."""
    error = from_response(response, method)
    about: dict[str, Any] = {'status': error.status, 'request_id': error.request_id, 'authentic': error.authentic}
    if error.status == 409:
        return Throttled(error.args[0], retry_after(response.headers, time.time()) or 1.0, **about)
    if error.status in {400, 401} and _refuses_grant(response):
        return GrantRefused(error.args[0], **about)
    return error


def _refuses_grant(response: requests.Response) -> bool:
    """Return whether a JSON object refuses the grant: the page of a proxy must not end a connection."""
    try:
        json_object(response)
    except ValueError:
        return False
    return REFUSED_GRANT.search(response.text[:2000]) is not None
