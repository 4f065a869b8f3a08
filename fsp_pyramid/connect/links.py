"""Signed links to the pages: they expire, because who has one acts for its user."""

import json
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from ..interfaces import IConnect, IMount
from ..protocol.security import NAME
from ..protocol.traversal import quoted
from ..signing import Signing


class Purpose(StrEnum):
    """What a link is good for."""

    CONNECT = 'connect'  # all pages
    FOLDER = 'folder'  # the folder chooser only


class Link(NamedTuple):
    """Whom a link is for. *expires_at* is in UNIX seconds."""

    mount: str
    client: str
    client_id: str
    uid: str
    purpose: str
    expires_at: int


class LinkExpired(Exception):
    """The link was good once."""


class Links:
    """Makes and reads the tokens of links."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._signing, self._clock = Signing(secrets, 'connect link'), clock

    def make(self, mount: str, client: str, client_id: str, uid: str, purpose: Purpose, lifetime: float) -> Link:
        """A link that is good for *lifetime* seconds from now."""
        return Link(mount, client, client_id, uid, str(purpose), int(self._clock() + lifetime))

    def sign(self, link: Link) -> str:
        """The token: the same for the same link."""
        return self._signing.sign(json.dumps(link, separators=(',', ':')).encode())

    def read(self, token: str) -> Link:
        """Whom a token is for. Raises BadToken, LinkExpired."""
        link = Link(*json.loads(self._signing.verify(token)))
        if link.expires_at <= self._clock():
            raise LinkExpired
        return link


def find_client(registry: Any, link: Link) -> Any:
    """The Bridge of a link's client. Raises LookupError where its users have nothing to connect; the text says why."""
    mount = registry.queryUtility(IMount, name=link.mount)
    backend = mount and mount.client_backends.get(link.client)
    if backend is None:
        what = f'client {link.client!r}' if mount else f'mount {link.mount!r}'
        raise LookupError(f'there is no {what}')
    settings = backend.settings
    if settings.accounts.mode != 'oauth':
        raise LookupError('users of this client have no accounts of their own: fsp.accounts.mode is not oauth')
    if settings.disabled:
        raise LookupError('this client is disabled')
    if settings.client_ids and link.client_id not in settings.client_ids:
        raise LookupError(f'{link.client_id!r} is none of the client ids of this client')
    return backend


def connect_url(
    registry: Any,
    base_url: str,
    client_id: str,
    uid: str,
    *,
    client: str = '',
    mount: str = 'fsp',
    purpose: str = 'connect',
    lifetime: float | None = None,
) -> str:
    """The URL of the page on which a user connects an Egnyte account. Who has it acts for that user.

    :param base_url: of the application, ``https://product.example.com`` with its SCRIPT_NAME, if it has one
    :param client_id: as Beefree sends it in ``X-BEE-ClientId``
    :param uid: as Beefree sends it in ``X-BEE-Uid``
    :param client: the name of the configured client; '' where the ini file names none
    :param mount: the name of the mount
    :param purpose: ``connect``, or ``folder`` for the folder chooser only
    :param lifetime: seconds that it is good for; None for ``fsp.connect.lifetime``

    Raises ValueError where such a user could never come.
    """
    place = registry.getUtility(IConnect)
    for name, value in (('client_id', client_id), ('uid', uid)):
        if not NAME.fullmatch(value):
            raise ValueError(f'{name}: 1 to 200 letters, digits, underscores or hyphens, unlike {value!r}')
    seconds = place.lifetime if lifetime is None else lifetime
    link = place.links.make(mount, client, client_id, uid, Purpose(purpose), seconds)
    try:
        find_client(registry, link)
    except LookupError as error:
        raise ValueError(str(error)) from error
    path = f'{quoted(place.path)}/{place.links.sign(link)}'
    return base_url.rstrip('/') + path + ('/folder' if link.purpose == Purpose.FOLDER else '')


def request_connect_url(request: Any, client_id: str, uid: str, **options: Any) -> str:
    """``request.fsp_connect_url(client_id, uid)``: see connect_url, with its other options as keywords."""
    return connect_url(request.registry, request.application_url, client_id, uid, **options)
