"""A small client for the tests: Egnyte's calls without their ceremony."""

import io
from typing import Any
from urllib.parse import quote

from webtest import TestApp, TestResponse

Answer = tuple[str, dict[str, str], list[bytes]]


def raw_call(app: Any, method: str, path: str, body: bytes = b'', **environ: Any) -> Answer:
    """Return a WSGI call without a client that checks it: the status, the headers and the parts of the body."""
    environ = {
        'REQUEST_METHOD': method,
        'PATH_INFO': path,
        'SERVER_NAME': 'localhost',
        'SERVER_PORT': '80',
        'wsgi.url_scheme': 'http',
        'wsgi.input': io.BytesIO(body),
        'HTTP_AUTHORIZATION': 'Bearer sandbox',
    } | environ
    started: list[Any] = []
    answer = app(environ, lambda status, headers, exc_info=None: started.extend([status, dict(headers)]))
    parts = list(answer)
    if hasattr(answer, 'close'):
        answer.close()
    return started[0], started[1], parts


class Api:
    """Calls to one sandbox application with one token. *status* is the expected one."""

    def __init__(self, app: Any, token: str = 'sandbox') -> None:
        self.app = app
        self.web = TestApp(app)
        self.headers = {'Authorization': f'Bearer {token}'}

    def by(self, username: str) -> 'Api':
        """Return the same sandbox for an ordinary user."""
        return Api(self.app, f'sandbox-{username}')

    def get(self, path: str, params: Any = None, *, status: int = 200, **headers: str) -> TestResponse:
        return self.web.get(f'/pubapi/v1/{path}', params, headers=self._headers(headers), status=status)

    def post(self, path: str, body: Any, *, status: int = 200, **headers: str) -> TestResponse:
        return self.web.post_json(f'/pubapi/v1/{path}', body, headers=self._headers(headers), status=status)

    def delete(self, path: str, *, status: int = 200) -> TestResponse:
        return self.web.delete(f'/pubapi/v1/{path}', headers=self.headers, status=status)

    def fs(self, path: str, params: Any = None, *, status: int = 200) -> Any:
        """Return the metadata of a path."""
        return self.get(f'fs{quote(path)}', params, status=status).json

    def names(self, path: str, params: Any = None) -> list[str]:
        """Return the names in a folder, in the order of the listing."""
        listing = self.fs(path, params)
        return [item['name'] for item in (*listing['folders'], *listing['files'])]

    def act(self, path: str, action: str, *, status: int = 200, **more: Any) -> Any:
        return self.post(f'fs{quote(path)}', {'action': action} | more, status=status).json

    def mkdir(self, path: str, *, status: int = 201) -> Any:
        return self.act(path, 'add_folder', status=status)

    def upload(self, path: str, content: bytes = b'content', *, status: int = 200, **headers: str) -> Any:
        return self.put(path, content, status=status, **headers).json

    def put(self, path: str, content: bytes, *, status: int = 200, **headers: str) -> TestResponse:
        """Return an upload's whole response."""
        headers = self._headers({'Content-Type': 'application/octet-stream'} | headers)
        return self.web.post(f'/pubapi/v1/fs-content{quote(path)}', content, headers=headers, status=status)

    def content(self, path: str, params: Any = None, *, status: int = 200, **headers: str) -> TestResponse:
        return self.get(f'fs-content{quote(path)}', params, status=status, **headers)

    def calls(self) -> list[dict[str, Any]]:
        return self.web.get('/_sandbox/calls').json['calls']

    def order(self, *faults: dict[str, Any]) -> None:
        self.web.put_json('/_sandbox/faults', list(faults), status=204)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return self.headers | {name.replace('_', '-'): value for name, value in more.items()}
