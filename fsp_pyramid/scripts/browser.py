"""Consent in a browser: the authorization-code flow of a command."""

import secrets
import sys
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from .command import Failed

_LOOPBACK = {'localhost', '127.0.0.1', '::1'}
_DONE = 'You can close this window, and go back to the terminal.'


def ask_in_browser(url_of: Callable[[str], str], redirect_uri: str, *, open_browser: bool) -> str:
    """Return the code of a user's consent. Raises Failed if the user refuses, or if the answer is to another question.

    A *redirect_uri* of this machine without TLS is served here; otherwise the user pastes the address that the browser
    ends at.

    :param url_of: returns the URL to open, for a state
    """
    state = secrets.token_urlsafe(24)
    url = url_of(state)
    listener = _Listener(redirect_uri) if listens_at(redirect_uri) else None
    print(f'Log in at Egnyte and allow the access:\n\n  {url}\n', file=sys.stderr, flush=True)
    if open_browser:
        webbrowser.open(url)
    answer = listener.wait() if listener else _pasted(redirect_uri)
    return _code(answer, state)


def listens_at(redirect_uri: str) -> bool:
    """Return whether the answer can be received here."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == 'http' and parts.hostname in _LOOPBACK


def _pasted(redirect_uri: str) -> str:
    print(f'Then the browser shows an address that begins with {redirect_uri}; it may say that it', file=sys.stderr)
    print('cannot be reached. Paste that address here:', file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip()
    except KeyboardInterrupt:
        raise Failed('No consent, no token.') from None


def _code(answer: str, state: str) -> str:
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
    if not secrets.compare_digest(parameters.get('state', '').encode(), state.encode()):
        raise Failed('This is no answer to the question above: its "state" is missing or another one.')
    if 'code' not in parameters:
        raise Failed(f'Egnyte gave no code: {parameters.get("error", "the address has none")}.')
    return parameters['code']


class _Listener:
    """HTTP server that receives the answer of the browser."""

    def __init__(self, redirect_uri: str) -> None:
        parts = urlsplit(redirect_uri)
        answers = self._answers = []  # type: list[str]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = urlsplit(self.path)
                is_answer = found.path == (parts.path or '/') and 'state' in parse_qs(found.query)
                self.send_response(200 if is_answer else 404)
                self.send_header('Content-Type', 'text/plain; charset=utf-8')
                self.send_header('Cache-Control', 'no-store')
                self.end_headers()
                self.wfile.write((_DONE if is_answer else 'There is nothing here.').encode())
                if is_answer:
                    answers.append(self.path)

            def log_message(self, *_arguments: object) -> None:
                """Log nothing: the address has the code."""

        try:
            self._server = HTTPServer((parts.hostname or '', parts.port or 80), Handler)
        except OSError as error:
            raise Failed(f'{redirect_uri} cannot be served here: {error.strerror}.') from None

    def wait(self) -> str:
        """Return the path and query of the answer."""
        with self._server:
            try:
                while not self._answers:
                    self._server.handle_request()
            except KeyboardInterrupt:
                raise Failed('No consent, no token.') from None
        return self._answers[0]
