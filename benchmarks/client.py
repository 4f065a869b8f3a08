"""HTTP clients with one kept-alive connection each: one like Beefree's resource server, and one of the sandbox."""

import json
from base64 import b64encode
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import quote

USERNAME, PASSWORD, TOKEN = 'beefree', 'beefree-password', 'sandbox'
TIMEOUT = 120


class Answer(NamedTuple):
    """One answer. *status_int* is what WebTest calls it: the operations that tests count are used here as well."""

    status_int: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """The data in the envelope of a success. Raises RuntimeError for another one."""
        if self.status_int not in {200, 201}:
            raise RuntimeError(f'{self.status_int}: {self.body[:500].decode(errors="replace")}')
        return self.json['data']


class Connection:
    """HTTP requests over one kept-alive socket."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.headers, self._connection = headers, HTTPConnection('127.0.0.1', port, timeout=TIMEOUT)

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """Send it and read the whole answer."""
        self._connection.request(method, target, body, self.headers | headers)
        response = self._connection.getresponse()
        return Answer(response.status, response.read())


class Beefree(Connection):
    """A user of the File Manager."""

    def __init__(self, port: int, uid: str) -> None:
        credentials = b64encode(f'{USERNAME}:{PASSWORD}'.encode()).decode()
        super().__init__(port, {'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'bench', 'X-BEE-Uid': uid})

    def request(self, method: str, path: str, body: Any = None) -> Answer:
        """One operation at a path of the File Manager."""
        return self.send(method, f'/fsp{quote(path)}', None if body is None else json.dumps(body).encode())

    def get(self, path: str) -> Answer:
        """List a directory, or ask for a file."""
        return self.request('GET', path)

    def create(self, path: str) -> Answer:
        """Create a directory."""
        return self.request('POST', path)

    def delete(self, path: str) -> Answer:
        """Delete a file or a directory."""
        return self.request('DELETE', path)

    def upload(self, path: str, source: str, strategy: str = 'replace') -> Answer:
        """Upload what is at the URL *source*."""
        return self.request('POST', path, {'source': source, 'conflict_strategy': strategy})

    def move(self, path: str, directory: str, strategy: str = 'ask') -> Answer:
        """Move a file into a directory."""
        return self.request('PATCH', path, {'new_path': directory, 'conflict_strategy': strategy})


class Egnyte(Connection):
    """Client of the sandbox: stores files past the bridge, and reads the calls that were made."""

    def __init__(self, port: int) -> None:
        super().__init__(port, {'Authorization': f'Bearer {TOKEN}'})

    def put(self, path: str, content: Any, **headers: str) -> Answer:
        """Store a file; missing folders come with it. *content* is bytes or a file."""
        return self.send('POST', f'/pubapi/v1/fs-content{quote(path)}', content, **headers)

    def list_folder(self, path: str) -> Answer:
        """Return the bare call behind a listing."""
        return self.send('GET', f'/pubapi/v1/fs{quote(path)}?include_perm=true&count=1000')

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls since the last reset, as the sandbox reports them."""
        return self.send('GET', '/_sandbox/calls').json['calls']

    def forget_calls(self) -> None:
        """Reset the record of calls."""
        self.send('DELETE', '/_sandbox/calls')
