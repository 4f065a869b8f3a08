"""The page Public links: the file, account and version behind a public URL."""

import re
from typing import Any, NamedTuple

from pyramid.request import Request
from pyramid.response import Response

from ..content.cache import ContentCache
from ..content.links import BadLink, Link, Signer
from ..errors import FSPError
from ..i18n import Size, _
from ..interfaces import IPublic
from ..media_types import type_of_name
from ..model import Entry
from ..paths import text
from ..public.origin import RequestOrigin
from ..public.urls import PublicURLs
from .audit import record
from .rendering import render

ROUTE = 'fsp_console_links'


class LinkedFile(NamedTuple):
    """File behind a link.

    :param path: at Egnyte
    :param is_kept: whether its current content is on the disk of this machine
    """

    account: str
    egnyte: str
    path: str
    entry: Entry
    is_kept: bool
    thumbnail: str | None

    @property
    def size(self) -> Size:
        """The size of its content."""
        return Size(self.entry.size)


def show(_context: Any, request: Request) -> Response:
    """Show the form."""
    return render(request, 'links', url='', problem='', file=None)


def look_up(_context: Any, request: Request) -> Response:
    """Show the file. It costs one call to Egnyte."""
    url = request.POST.get('url', '').strip()
    record(request, 'look up a link')
    try:
        link = find_link(request.registry.getUtility(IPublic).signer, url)
        return render(request, 'links', url=url, problem='', file=_file(request, link))
    except BadLink:
        return render(request, 'links', 400, url=url, problem=NO_LINK, file=None)
    except FSPError as error:
        problem = _('console-problem', '${title}. ${details}', title=error.title, details=error.details)
        return render(request, 'links', error.status, url=url, problem=problem, file=None)


NO_LINK = _(
    'console-no-link',
    'This is no public URL of this service. '
    'Its token was cut off or changed, or signed with a key that fsp.public.secret does not have any more.',
)


def find_link(signer: Signer, url: str) -> Link:
    """Return the link of a file or a thumbnail, below whatever host and prefix. Raises BadLink."""
    parts = re.split('[?#]', url)[0].split('/')  # not urlsplit, which raises for hosts that do not matter here
    for token, digits in zip(parts, [*parts[1:], ''], strict=True):
        for verify in (lambda token, _digits: signer.verify(token), signer.verify_thumbnail):
            try:
                return verify(token, digits)
            except BadLink:
                continue
    raise BadLink


def _file(request: Request, link: Link) -> LinkedFile:
    public = request.registry.getUtility(IPublic)
    origin = RequestOrigin(request.registry, link, request, request.fsp_stats.count_call)
    entry = origin.stat()
    urls = PublicURLs(public.url(request), public.signer)
    return LinkedFile(
        account=link.account,
        egnyte=origin.domain,
        path=text(entry.path),
        entry=entry,
        is_kept=_is_kept(public.content_service.cache, link, entry),
        thumbnail=urls.thumbnail(link.account, entry, type_of_name(entry.name)),
    )


def _is_kept(cache: ContentCache, link: Link, entry: Entry) -> bool:
    return (
        bool(entry.version_id) and cache.existing_copy(link.account, link.file_id, entry.version_id or '') is not None
    )
