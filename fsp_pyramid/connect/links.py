"""Signed links to the pages. They expire, because a link is the credential of its user."""

import json
import time
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, NamedTuple

from pyramid.registry import Registry
from pyramid.request import Request

from ..clients import ClientBackend, find_client
from ..i18n.catalogs import languages
from ..interfaces import IAccountStores, IConnect
from ..model import ID_FORMAT
from ..paths import quoted
from ..routing import origin_of
from ..settings.validators import is_plain
from ..signing import Signing

MAX_LABEL, MAX_RETURN_URL = 200, 1000  # characters


class Purpose(StrEnum):
    """Purpose of a link: the pages that it opens."""

    CONNECT = 'connect'  # all pages
    FOLDER = 'folder'  # the folder chooser only


class Link(NamedTuple):
    """Content of a link: its user and purpose, and what the host knows of that user.

    :param expires_at: in UNIX seconds
    :param label: the user's name, for people; '' for the uid
    :param return_url: URL of the host's page to go back to; '' for none
    :param language: of the pages; '' for that of the browser
    """

    mount: str
    client: str
    client_id: str
    uid: str
    purpose: str
    expires_at: int
    label: str = ''
    return_url: str = ''
    language: str = ''

    def fields(self) -> tuple[str | int, ...]:
        """Return the fields for a token: without the last three if they are empty, as older versions read them."""
        return self if any(self[6:]) else self[:6]


class LinkExpired(Exception):
    """The link is genuine but has expired."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link


class Links:
    """Sign links and verify their tokens."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float] = time.time) -> None:
        self._signing, self._clock = Signing(secrets, 'connect link'), clock

    def make(
        self, mount: str, client: str, client_id: str, uid: str, purpose: Purpose, lifetime: float, **more: str
    ) -> Link:
        """Return a link that expires in *lifetime* seconds.

        :param more: the optional fields of the link
        """
        return Link(mount, client, client_id, uid, str(purpose), int(self._clock() + lifetime), **more)

    def sign(self, link: Link) -> str:
        """Return the token, which is the same for the same link."""
        return self._signing.sign(json.dumps(link.fields(), ensure_ascii=False, separators=(',', ':')).encode())

    def read(self, token: str) -> Link:
        """Return the link of a token. Raises BadToken, LinkExpired."""
        link = Link(*json.loads(self._signing.verify(token)))
        if link.expires_at <= self._clock():
            raise LinkExpired(link)
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
    user_label: str = '',
    return_url: str = '',
    language: str = '',
) -> str:
    """Return the URL of the page on which a user connects an Egnyte account. It is the credential of that user.

    :param base_url: of the application, ``https://product.example.com`` with its SCRIPT_NAME, if it has one
    :param client_id: as Beefree sends it in ``X-BEE-ClientId``
    :param uid: as Beefree sends it in ``X-BEE-Uid``
    :param client: the name of the configured client; '' where the ini file names none
    :param mount: the name of the mount
    :param purpose: ``connect``, or ``folder`` for the folder chooser only
    :param lifetime: seconds until it expires; None for ``fsp.connect.lifetime``
    :param user_label: the user's name as the user knows it, best an e-mail address that you have verified; '' for the
        uid. At most 200 characters
    :param return_url: the page of yours that the last page links back to, at an origin of
        ``fsp.connect.return_origins``; '' for none
    :param language: of the pages, one of those in :doc:`languages`; '' for that of the browser

    Label, return URL and language are signed with the link, and readable in it. Raises ValueError if no such user can
    exist, and for a label, return URL or language that is not allowed.
    """
    connect = registry.getUtility(IConnect)
    for name, value in (('client_id', client_id), ('uid', uid)):
        if not ID_FORMAT.fullmatch(value):
            raise ValueError(f'{name}: 1 to 200 letters, digits, underscores or hyphens, unlike {value!r}')
    check_label(user_label)
    check_return_url(return_url, connect.return_origins)
    if language and language not in languages():
        raise ValueError(f'language: one of {", ".join(languages())}, unlike {language!r}')
    seconds = connect.lifetime if lifetime is None else lifetime
    more = {'label': user_label, 'return_url': return_url, 'language': language}
    link = connect.links.make(mount, client, client_id, uid, Purpose(purpose), seconds, **more)
    try:
        find_oauth_client(registry, link)
    except LookupError as error:
        raise ValueError(str(error)) from error
    path = f'{quoted(connect.path)}/{connect.links.sign(link)}'
    return base_url.rstrip('/') + path + ('/folder' if link.purpose == Purpose.FOLDER else '')


def check_label(label: str) -> None:
    """Raise ValueError for a label that would not fit into a sentence."""
    if len(label) > MAX_LABEL or not is_plain(label):
        raise ValueError(f'user_label: at most {MAX_LABEL} characters, without control characters')


def check_return_url(url: str, origins: Collection[str]) -> None:
    """Raise ValueError for a URL at an origin that is not in *origins*; '' is allowed."""
    if not url:
        return
    if len(url) > MAX_RETURN_URL:
        raise ValueError(f'return_url: at most {MAX_RETURN_URL} characters')
    origin = origin_of(url)
    if not origin:
        raise ValueError(
            f'return_url: an absolute URL with https (http on loopback hosts only), in ASCII, unlike {url!r}'
        )
    if origin not in origins:
        allowed = ' '.join(origins) or 'none'
        raise ValueError(f'return_url: {origin} is no origin of fsp.connect.return_origins ({allowed})')


def request_connect_url(request: Request, client_id: str, uid: str, **options: Any) -> str | None:
    """Return the URL of :func:`connect_url` for the request's application: ``request.fsp_connect_url(client_id, uid)``.

    None in an application in which users connect no accounts.

    :param options: the keywords of :func:`connect_url`
    """
    if not request.fsp_connect_available:
        return None
    return connect_url(request.registry, request.application_url, client_id, uid, **options)


def are_accounts_connected(request: Request) -> bool:
    """Return whether users of the application connect accounts: some mount has ``fsp.accounts.mode = oauth``."""
    return request.registry.queryUtility(IAccountStores) is not None
