"""Check of the envelope, the format of every answer below a mount."""

import re
from base64 import b64encode
from typing import Any

import webob

# Statuses and codes of the protocol; success has no code.
TABLE = {
    (200, None),
    (201, None),
    (400, 3500),
    (400, 3905),
    (401, 3650),
    (403, 3300),
    (403, 3400),
    (403, 3908),
    (403, 3909),
    (404, 3200),
    (405, 3500),
    (409, 3400),
    (409, 3401),
    (422, 3450),
    (422, 3906),
    (422, 3907),
    (503, 3001),
    (503, 3100),
    (503, 3903),
    (503, 3904),
}


def caller(uid: str = 'demo', username: str = 'beefree', password: str = 'beefree') -> dict[str, str]:
    """Return the headers of a request by Beefree."""
    credentials = b64encode(f'{username}:{password}'.encode()).decode()
    return {'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'shop', 'X-BEE-Uid': uid}


def read(response: webob.Response) -> tuple[int, int | None]:
    """Return status and code of *response*, after a check that it is an envelope of the protocol."""
    assert response.content_type == 'application/json', response.text
    body = response.json
    verdict = response.status_int, body.get('code')
    assert verdict in TABLE, verdict
    if response.status_int < 300:
        assert set(body) == {'status', 'data'}
        assert body['status'] == 'success'
        return verdict
    assert set(body) == {'status', 'code', 'message', 'details'}
    assert body['status'] == 'error'
    assert body['message']
    assert re.search(r'\(support id [0-9a-f]{8}\)$', body['details'])
    assert ('WWW-Authenticate' in response.headers) == (response.status_int == 401)
    assert ('Allow' in response.headers) == (response.status_int == 405)
    return verdict


def path_info(path: str) -> str:
    """Return *path* in the encoding of PATH_INFO."""
    return path.encode().decode('latin-1')


def ask(application: Any, path: str, method: str = 'GET', **environ: Any) -> webob.Response:
    """Send a request with *path* as literal PATH_INFO, without normalization; keywords are other keys of WSGI."""
    request = webob.Request.blank('/', method=method, headers=caller())
    request.environ.update(environ, PATH_INFO=path)
    return request.get_response(application)
