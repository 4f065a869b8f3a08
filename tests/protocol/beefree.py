"""A client that sends requests as Beefree's resource server does."""

import json
from typing import Any
from urllib.parse import quote, urlsplit

from webtest import TestApp, TestResponse

PNG = b'\x89PNG\r\n\x1a\n' + b'p' * 100
CREDENTIALS = ('Basic', ('beefree', 'secret-password'))


class Beefree:
    """A user of an integrator, below *base*."""

    def __init__(self, application: Any, uid: str = 'u1', base: str = '/fsp') -> None:
        self.app = TestApp(application)
        self.app.authorization = CREDENTIALS
        self.base = base
        self.headers = {'X-BEE-ClientId': 'client', 'X-BEE-Uid': uid}

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request and return the response of any status; header names may have underscores."""
        sent = self.headers | {name.replace('_', '-'): value for name, value in headers.items()}
        url, options = self.base + quote(path), {'headers': sent, 'status': '*', 'expect_errors': True}
        if body is None:
            return self.app.request(url, method=method, **options)
        return self.app.request(
            url, method=method, body=json.dumps(body).encode(), content_type='application/json', **options
        )

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.request('GET', path, **headers)

    def create(self, path: str) -> TestResponse:
        return self.request('POST', path)

    def delete(self, path: str) -> TestResponse:
        return self.request('DELETE', path)

    def upload(self, path: str, source: str, strategy: Any = None) -> TestResponse:
        return self.request('POST', path, _body('source', source, strategy))

    def move(self, path: str, directory: str, strategy: Any = None) -> TestResponse:
        return self.request('PATCH', path, _body('new_path', directory, strategy))

    def names(self, path: str) -> list[str]:
        """Return the names in a listing, those of directories with a slash."""
        items = self.get(path).json['data']['items']
        return [item['path'].removeprefix(path) for item in items]

    def public(self, url: str, method: str = 'GET', **kwargs: Any) -> TestResponse:
        """Request a public URL without credentials."""
        parts = urlsplit(url)
        anonymous = TestApp(self.app.app)
        return anonymous.request(parts.path, method=method, status='*', expect_errors=True, **kwargs)


def _body(key: str, value: str, strategy: Any) -> dict[str, Any]:
    return {key: value} if strategy is None else {key: value, 'conflict_strategy': strategy}


def outcome(response: TestResponse) -> tuple[int, int | None]:
    """Return status and code."""
    return response.status_int, response.json.get('code')
