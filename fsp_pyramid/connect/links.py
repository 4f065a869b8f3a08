"""Signed links to the pages. They expire, because a link is the credential of its user."""

import json
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from pyramid.registry import Registry
from pyramid.request import Request

from ..clients import ClientBackend, find_client
from ..interfaces import IConnect
from ..model import ID_FORMAT
from ..paths import quoted
from ..signing import Signing


class Purpose(StrEnum):
    """Purpose of a link: the pages that it opens."""

    CONNECT = 'connect'  # all pages
    FOLDER = 'folder'  # the folder chooser only


class Link(NamedTuple):
    """Content of a link: its user and purpose. *expires_at* is in UNIX seconds."""

    mount: str
    client: str
    client_id: str
    uid: str
    purpose: str
    expires_at: int


class LinkExpired(Exception):
    """The link is genuine but has expired."""


class Links:
    """Sign links and verify their tokens."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._signing, self._clock = Signing(secrets, 'connect link'), clock

    def make(self, mount: str, client: str, client_id: str, uid: str, purpose: Purpose, lifetime: float) -> Link:
        """Return a link that expires in *lifetime* seconds."""
        return Link(mount, client, client_id, uid, str(purpose), int(self._clock() + lifetime))

    def sign(self, link: Link) -> str:
        """Return the token, which is the same for the same link."""
        return self._signing.sign(json.dumps(link, separators=(',', ':')).encode())

    def read(self, token: str) -> Link:
        """Return the link of a token. Raises BadToken, LinkExpired."""
        link = Link(*json.loads(self._signing.verify(token)))
        if link.expires_at <= self._clock():
            raise LinkExpired
        return link


def find_oauth_client(registry: Registry, link: Link) -> ClientBackend:
    """Return the backend of a link's client. Raises LookupError if its users connect no accounts; the text says why."""
    backend = find_client(registry, link.mount, link.client)
    settings = backend.settings
    if settings.accounts.mode != 'oauth':
        raise LookupError('users of this client have no accounts of their own: fsp.accounts.mode is not oauth')
    if settings.disabled:
        raise LookupError('this client is disabled')
    if settings.client_ids and link.client_id not in settings.client_ids:
        raise LookupError(f'{link.client_id!r} is none of the client ids of this client')
    return backend


def connect_url(
    registry: Registry,
    base_url: str,
    client_id: str,
    uid: str,
    *,
    client: str = '',
    mount: str = 'fsp',
    purpose: str = 'connect',
    lifetime: float | None = None,
) -> str:
    """Return the URL of the page on which a user connects an Egnyte account. It is the credential of that user.

    :param base_url: of the application, ``https://product.example.com`` with its SCRIPT_NAME, if it has one
    :param client_id: as Beefree sends it in ``X-BEE-ClientId``
    :param uid: as Beefree sends it in ``X-BEE-Uid``
    :param client: the name of the configured client; '' where the ini file names none
    :param mount: the name of the mount
    :param purpose: ``connect``, or ``folder`` for the folder chooser only
    :param lifetime: seconds until it expires; None for ``fsp.connect.lifetime``

    Raises ValueError if no such user can exist.
    """
    connect = registry.getUtility(IConnect)
    for name, value in (('client_id', client_id), ('uid', uid)):
        if not ID_FORMAT.fullmatch(value):
            raise ValueError(f'{name}: 1 to 200 letters, digits, underscores or hyphens, unlike {value!r}')
    seconds = connect.lifetime if lifetime is None else lifetime
    link = connect.links.make(mount, client, client_id, uid, Purpose(purpose), seconds)
    try:
        find_oauth_client(registry, link)
    except LookupError as error:
        raise ValueError(str(error)) from error
    path = f'{quoted(connect.path)}/{connect.links.sign(link)}'
    return base_url.rstrip('/') + path + ('/folder' if link.purpose == Purpose.FOLDER else '')


def request_connect_url(request: Request, client_id: str, uid: str, **options: Any) -> str:
    """Return the URL of :func:`connect_url` for the request's application: ``request.fsp_connect_url(client_id, uid)``.

    :param options: the keywords of :func:`connect_url`
    """
    return connect_url(request.registry, request.application_url, client_id, uid, **options)
