"""Connection to the sandbox that tests can break."""

from collections.abc import Callable
from typing import Any

import requests

from fsp_pyramid.embedded import URL, WSGIAdapter
from fsp_pyramid.testing import Sandbox

Hook = Callable[[requests.PreparedRequest], requests.Response | None]


class Connection(WSGIAdapter):
    """Connection with two hooks: *before* gets a request before Egnyte and may answer it, *after* later."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox.application)
        self.before: Hook = lambda request: None
        self.after: Hook = lambda request: None
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount(URL, self)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = self.before(request)
        if answer is None:
            answer = super().send(request, **options)
            later = self.after(request)
            answer = answer if later is None else later
        return answer

    def heal(self) -> None:
        """Remove the hooks."""
        self.before = self.after = lambda request: None


def once(method: str, then: Hook) -> Hook:
    """Return a hook that calls *then* at the first request with that method."""
    done = False

    def hook(request: requests.PreparedRequest) -> requests.Response | None:
        nonlocal done
        if done or request.method != method:
            return None
        done = True
        return then(request)

    return hook


def cut(_request: requests.PreparedRequest) -> None:
    """Break the connection."""
    raise requests.ConnectionError('cut')


def answering(status: int, **headers: str) -> Hook:
    """Return a hook that answers instead of Egnyte."""

    def answer(request: requests.PreparedRequest) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url or ''
        response._content = b'{"message": "not now"}'
        response.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
        return response

    return answer
