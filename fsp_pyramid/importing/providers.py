"""Files of another provider of Beefree's file system protocol, and of Beefree's own storage, which answers alike."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import requests
from requests.auth import HTTPBasicAuth

from ..paths import Path, PathError, parse

TIMEOUT = 60.0  # seconds
# As in public code of clients of Beefree's file API.
BEEFREE_URL = 'https://api.getbee.io/v1/file'


class ProviderError(Exception):
    """The provider cannot be listed; the message says why."""


class RemoteFile(NamedTuple):
    """A file of a provider.

    :param path: of the file
    :param url: its public URL
    """

    path: Path
    url: str


class Provider:
    """A provider. Making one does no I/O.

    :param base_url: without a slash at its end
    :param headers: of all requests
    :param credentials: user name and password of Basic authentication
    """

    def __init__(self, base_url: str, headers: dict[str, str], credentials: tuple[bytes, bytes] | None = None) -> None:
        self._base_url, self._headers, self._credentials = base_url.rstrip('/'), headers, credentials

    def walk(self, top: str = '/') -> Iterator[RemoteFile]:
        """Yield the files of a directory and all below it. Raises ProviderError."""
        directories, seen = [top], {top}
        with requests.Session() as session:
            session.trust_env = False  # a .netrc would replace the credentials
            session.headers.update(self._headers)
            if self._credentials:
                session.auth = HTTPBasicAuth(*self._credentials)
            while directories:
                for item in self._list(session, directories.pop(0)):
                    path = _text(item, 'path')
                    if _text(item, 'mime-type') == 'application/directory':
                        path = f'{path.rstrip("/")}/'
                        if path not in seen:
                            seen.add(path)
                            directories.append(path)
                    elif url := _text(item, 'public-url'):
                        yield RemoteFile(_parsed(path), url)

    def _list(self, session: requests.Session, path: str) -> list[dict[str, Any]]:
        place = f'{self._base_url}{path}'
        try:
            response = session.get(self._base_url + quote(path), timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise ProviderError(f'{place} cannot be listed: {type(error).__name__}.') from error
        if response.status_code != 200:
            hint = ' Check the credentials.' if response.status_code in {401, 403} else ''
            raise ProviderError(f'{place} cannot be listed: status {response.status_code}.{hint}')
        try:
            answer = response.json()
        except ValueError as error:
            raise ProviderError(f'{place} cannot be listed: the answer is no JSON.') from error
        data = answer.get('data', answer) if isinstance(answer, dict) else answer
        items = data.get('items') if isinstance(data, dict) else data
        if not isinstance(items, list):
            raise ProviderError(f'{place} cannot be listed: the answer has no items.')
        return [item for item in items if isinstance(item, dict)]


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ''


def _parsed(path: str) -> Path:
    try:
        return parse(path)[0]
    except PathError as error:
        raise ProviderError(f'The provider lists a file with a bad path: {error}.') from error
