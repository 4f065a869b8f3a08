"""OAuth2: tokens for grants. Egnyte gives password grants to applications of the customer's own."""

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

from . import users
from .errors import ApiError
from .options import Options
from .users import API_KEY, API_SECRET

LIFETIME = 30 * 24 * 60 * 60
# What an application may ask for, in the words in which a user is asked.
SCOPES = {
    'Egnyte.filesystem': 'Your files and folders',
    'Egnyte.user': 'Users',
    'Egnyte.group': 'Groups',
    'Egnyte.audit': 'Audit reports',
    'Egnyte.link': 'Links',
    'Egnyte.permission': 'Permissions of folders',
    'Egnyte.bookmark': 'Bookmarks',
    'Egnyte.launchwebsession': 'Opening Egnyte without another login',
    'Egnyte.salesforce': 'Salesforce',
    'Egnyte.projectfolders': 'Project folders',
    'Egnyte.webhooks': 'Webhooks',
    'Egnyte.ai': 'AI',
    'Egnyte.sign': 'Signatures',
    'Egnyte.documentportal': 'Document portals',
    'Egnyte.uploadrequests': 'Upload requests',
    'Egnyte.etmf': 'Trial master files',
    'Egnyte.controlleddocs': 'Controlled documents',
    'Egnyte.integrations': 'Integrations',
}


def grant(db: sqlite3.Connection, form: Mapping[str, str], options: Options, now: int) -> dict[str, Any]:
    """Egnyte's answer to a token request. Raises ApiError."""
    grant_type = form.get('grant_type', '')
    # Only keys for password grants come without a secret: those of before 2015.
    secret = form.get('client_secret', API_SECRET if grant_type == 'password' else '')
    if form.get('client_id') != API_KEY or secret != API_SECRET:
        raise _refused(401, 'invalid_client', 'Unknown API key, or wrong secret')
    check = GRANTS.get(grant_type)
    if check is None:
        raise _refused(400, 'unsupported_grant_type', 'Unknown grant_type')
    user, scope = check(db, form, now)
    return _issue(db, user, scope, options, now)


def _by_password(db: sqlite3.Connection, form: Mapping[str, str], _now: int) -> tuple[int, str]:
    user = users.by_password(db, form.get('username', ''), form.get('password', ''))
    if user is None:
        raise _refused(400, 'invalid_grant', 'Unknown user, or wrong password')
    return user, form.get('scope', '')


def _by_code(db: sqlite3.Connection, form: Mapping[str, str], now: int) -> tuple[int, str]:
    row = db.execute(
        'DELETE FROM codes WHERE code = ? AND client_id = ? AND redirect_uri = ? AND expires > ? RETURNING user, scope',
        (form.get('code'), form['client_id'], form.get('redirect_uri'), now),
    ).fetchone()
    if row is None:
        raise _refused(400, 'invalid_grant', 'Unknown, used or expired code, or another redirect_uri')
    if form.get('scope', row['scope']) != row['scope']:
        raise _refused(400, 'invalid_scope', 'Not the scope that the user was asked for')
    return row['user'], row['scope']


def _by_refresh_token(db: sqlite3.Connection, form: Mapping[str, str], _now: int) -> tuple[int, str]:
    row = db.execute(
        'DELETE FROM tokens WHERE refresh_token = ? AND client_id = ?'
        ' AND user IN (SELECT id FROM users WHERE active) RETURNING user, scope',
        (form.get('refresh_token'), form['client_id']),
    ).fetchone()
    if row is None:
        raise _refused(400, 'invalid_grant', 'Unknown refresh token')
    return row['user'], row['scope']


GRANTS = {'password': _by_password, 'authorization_code': _by_code, 'refresh_token': _by_refresh_token}


def revoke(db: sqlite3.Connection, form: Mapping[str, str]) -> None:
    """End an access token and its refresh token, whichever of both is given. Raises ApiError."""
    if form.get('client_secret') != API_SECRET:
        raise _refused(401, 'invalid_client', 'Wrong secret')
    db.execute('DELETE FROM tokens WHERE token = :token OR refresh_token = :token', {'token': form.get('token')})


def _issue(db: sqlite3.Connection, user: int, scope: str, options: Options, now: int) -> dict[str, Any]:
    """Issue a token, in the shape of today (30 days and a refresh token) or in that of before."""
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
    """Return the scopes of a token; one that was requested without scopes has all."""
    row = db.execute('SELECT scope FROM tokens WHERE token = ?', (token,)).fetchone()
    return (row['scope'] if row else '').split() or list(SCOPES)
