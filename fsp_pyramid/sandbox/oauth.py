"""OAuth2: tokens for grants. Egnyte gives password grants to applications of the customer's own."""

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

from .errors import ApiError
from .options import Options
from .users import API_KEY, API_SECRET

LIFETIME = 30 * 24 * 60 * 60
SCOPES = (
    *('Egnyte.filesystem', 'Egnyte.user', 'Egnyte.group', 'Egnyte.audit', 'Egnyte.link', 'Egnyte.permission'),
    *('Egnyte.bookmark', 'Egnyte.launchwebsession', 'Egnyte.projectfolders', 'Egnyte.webhooks'),
)


def grant(db: sqlite3.Connection, form: Mapping[str, str], options: Options, now: int) -> dict[str, Any]:
    """Egnyte's answer to a token request. Raises ApiError."""
    if form.get('client_id') != API_KEY or form.get('client_secret', API_SECRET) != API_SECRET:
        raise _refused(401, 'invalid_client', 'Unknown API key, or wrong secret')
    check = GRANTS.get(form.get('grant_type', ''))
    if check is None:
        raise _refused(400, 'unsupported_grant_type', 'Unknown grant_type')
    user, scope = check(db, form)
    return _issue(db, user, scope, options, now)


def _by_password(db: sqlite3.Connection, form: Mapping[str, str]) -> tuple[int, str]:
    row = db.execute(
        'SELECT id, password FROM users WHERE username = ? AND active', (form.get('username', ''),)
    ).fetchone()
    if row is None or row['password'] is None or row['password'] != form.get('password'):
        raise _refused(400, 'invalid_grant', 'Unknown user, or wrong password')
    return row['id'], form.get('scope', '')


def _by_refresh_token(db: sqlite3.Connection, form: Mapping[str, str]) -> tuple[int, str]:
    row = db.execute(
        'DELETE FROM tokens WHERE refresh_token = ? AND client_id = ? RETURNING user, scope',
        (form.get('refresh_token'), form['client_id']),
    ).fetchone()
    if row is None:
        raise _refused(400, 'invalid_grant', 'Unknown refresh token')
    return row['user'], row['scope']


GRANTS = {'password': _by_password, 'refresh_token': _by_refresh_token}


def _issue(db: sqlite3.Connection, user: int, scope: str, options: Options, now: int) -> dict[str, Any]:
    """A new token, in the shape of today (30 days and a refresh token) or in that of before."""
    access, refresh, expires = secrets.token_urlsafe(24), None, None
    if options.refresh_tokens:
        refresh, expires = secrets.token_urlsafe(24), now + LIFETIME * 1000
    db.execute(
        'INSERT INTO tokens (token, user, client_id, scope, expires, refresh_token) VALUES (?, ?, ?, ?, ?, ?)',
        (access, user, API_KEY, scope, expires, refresh),
    )
    answer = {'access_token': access, 'token_type': 'bearer', 'expires_in': LIFETIME if refresh else -1}
    return answer | ({'refresh_token': refresh} if refresh else {})


def _refused(status: int, error: str, description: str) -> ApiError:
    return ApiError(status, {'error': error, 'error_description': description})


def scopes(db: sqlite3.Connection, token: str) -> list[str]:
    """What a token is for; one that was asked for without scopes is for everything."""
    row = db.execute('SELECT scope FROM tokens WHERE token = ?', (token,)).fetchone()
    return (row['scope'] if row else '').split() or list(SCOPES)
