"""Consent: the request of an application to a user, and the redirect back to it."""

import ipaddress
import re
import secrets
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from .oauth import SCOPES
from .users import API_KEY

CODE_LIFETIME = 2 * 60 * 1000  # milliseconds
# Browsers and libraries disagree on who is meant by anything else.
PLAIN_URL = re.compile(
    r'(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?][!"$-\[\]-~]*)?', re.ASCII | re.IGNORECASE
)


class Unanswerable(Exception):
    """Only the user can be told: the redirect cannot be trusted."""


class Asked(NamedTuple):
    """A question that may be put to the user. *scopes* are empty for all that the key may have."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str

    @property
    def host(self) -> str:
        """Target of the answer."""
        return urlsplit(self.redirect_uri).netloc

    @property
    def unknown_scopes(self) -> set[str]:
        """Those that Egnyte does not have."""
        return set(self.scopes) - set(SCOPES)

    def answer(self, **parameters: str) -> str:
        """Return the URL that takes an answer back to the application."""
        parameters |= {'state': self.state} if self.state else {}
        separator = '&' if '?' in self.redirect_uri else '?'
        return f'{self.redirect_uri}{separator}{urlencode(parameters, quote_via=quote)}'


def asked(parameters: Mapping[str, str]) -> Asked:
    """Return the parsed parameters of an authorization request. Raises Unanswerable."""
    if parameters.get('client_id') != API_KEY:
        raise Unanswerable('The client_id is not the API key of an application.')
    redirect_uri = parameters.get('redirect_uri', '')
    if not _is_acceptable(redirect_uri):
        raise Unanswerable('The redirect_uri is not an https URL, nor an http URL of this machine.')
    if parameters.get('response_type') != 'code':
        raise Unanswerable('The response_type is not “code”.')
    return Asked(redirect_uri, tuple(parameters.get('scope', '').split()), parameters.get('state', ''))


def _is_acceptable(url: str) -> bool:
    match = PLAIN_URL.fullmatch(url)
    return match is not None and (match[1].lower() == 'https' or _is_loopback(match[2].lower().strip('[]')))


def _is_loopback(host: str) -> bool:
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allow(db: sqlite3.Connection, user: int, question: Asked, now: int) -> str:
    """Return a code that the application can exchange once for tokens of *user*."""
    code = secrets.token_urlsafe(24)
    db.execute('DELETE FROM codes WHERE expires <= ?', (now,))
    db.execute(
        'INSERT INTO codes (code, user, client_id, redirect_uri, scope, expires) VALUES (?, ?, ?, ?, ?, ?)',
        (code, user, API_KEY, question.redirect_uri, ' '.join(question.scopes), now + CODE_LIFETIME),
    )
    return code
