"""The folder chooser: one level of a user's Egnyte at a time."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from pyramid.response import Response

from .. import errors
from ..model import Access, Account, Listing
from ..paths import (
    Path,
    PathError,
    fold,
    key,
    parse,
    text,
)
from .context import FOLDER_ROUTE, ConnectContext, PageError
from .links import Purpose
from .rendering import render
from .views import folders_of, see

# More than a person looks through; the search finds the others.
MOST = 200


class FolderLink(NamedTuple):
    """A folder, as a link to it is written."""

    name: str
    url: str


class Chooser(NamedTuple):
    """What the views need: the user's connection, account and files."""

    visit: ConnectContext
    request: Any
    connection: Any
    account: Account
    storage: Any

    def listing(self, asked: str) -> Listing:
        """The folder at *asked*, as it is now: who misses a folder here has just created it at Egnyte."""
        try:
            return self.storage.list_directory(parse(asked)[0], fresh=True)
        except (PathError, errors.NotFound):
            raise PageError(404, 'There is no such folder', 'Perhaps somebody moved or deleted it.') from None

    def current(self) -> Listing:
        """Where files go now, or as near to it as there is a folder."""
        path = self.account.folder
        while path:
            try:
                return self.storage.list_directory(path, fresh=True)
            except (errors.NotFound, errors.Forbidden):
                path = path[:-1]
        return self.storage.list_directory((), fresh=True)

    def url(self, path: Path) -> str:
        """Of the page of a folder."""
        return self.visit.url(FOLDER_ROUTE, at=text(path))

    def keep(self, path: str | None) -> Response:
        """Files go to *path* from now on; None for where they go without a choice."""
        self.visit.accounts.set_folder(self.request, self.connection.number, path)
        return see(f'{self.visit.home}?done=folder')


def _chooser_view(view: Callable[[Chooser], Response]) -> Callable[[ConnectContext, Any], Response]:
    """The Pyramid view around *view*, for users who are connected."""

    @wraps(view)
    def wrapped(visit: ConnectContext, request: Any) -> Response:
        connection = visit.connection()
        if not visit.has_choice:
            raise _no_choice(visit, connection)
        account = visit.accounts.account(request, connection)
        try:
            storage = visit.backend.storage(account, request.fsp.count_call)
            return view(Chooser(visit, request, connection, account, storage))
        except errors.TokenRefused:
            visit.accounts.refused(account, request)
            raise

    return wrapped


def _no_choice(visit: ConnectContext, connection: Any) -> PageError:
    where = f' Your files are in {"; ".join(folders_of(visit, connection))}.' if connection else ''
    return PageError(
        404,
        'There is nothing to choose',
        f'The application decides where your files are kept.{where} If you may not open or change files there, ask the '
        'administrator of your Egnyte for permission.',
    )


@_chooser_view
def browse(chooser: Chooser) -> Response:
    """One level; if none is asked for, that where files go now."""
    asked = chooser.request.GET.get('at')
    return _page(chooser, chooser.current() if asked is None else chooser.listing(asked))


@_chooser_view
def choose(chooser: Chooser) -> Response:
    """Files go there from now on."""
    listing = chooser.listing(chooser.request.POST.get('at', ''))
    if not _is_choosable(listing):
        raise errors.Forbidden('You may not add files to this folder. Choose another one.')
    return chooser.keep(text(listing.entry.path))


@_chooser_view
def choose_default(chooser: Chooser) -> Response:
    """Files go where they go for users who chose nothing."""
    return chooser.keep(None)


@_chooser_view
def create(chooser: Chooser) -> Response:
    """A new folder, and into it."""
    form = chooser.request.POST
    listing, name = chooser.listing(form.get('at', '')), form.get('name', '').strip()
    if not name:
        return _page(chooser, listing, problem='Enter a name for the new folder.')
    try:
        entry, _ = chooser.storage.create_directory((*listing.entry.path, name))
    except (errors.Conflict, errors.NameTaken, errors.NameNotAllowed, errors.Forbidden) as error:
        return _page(chooser, listing, name=name, problem=error.details)
    return see(chooser.url(entry.path))


def _page(chooser: Chooser, listing: Listing, *, name: str = '', problem: str = '') -> Response:
    path, query = listing.entry.path, chooser.request.GET
    find = query.get('find', '').strip()
    folders = [item for item in listing.items if item.is_directory]
    found = [item for item in folders if fold(find) in fold(item.name)]
    return render(
        chooser.request,
        'folder',
        400 if problem else 200,
        visit=chooser.visit,
        at=text(path),
        here=chooser.url(path),
        overview=chooser.visit.home if chooser.visit.link.purpose == Purpose.CONNECT else '',
        title=_title(path),
        crumbs=[FolderLink(_title(path[:end]), chooser.url(path[:end])) for end in range(len(path))],
        folders=[FolderLink(item.name, chooser.url(item.path)) for item in found[:MOST]],
        count=len(folders),
        left_off=len(found[MOST:]),
        find=find,
        target=text(chooser.account.folder),
        is_target=path == chooser.account.folder,
        picked=chooser.connection.folder is not None,
        is_choosable=_is_choosable(listing),
        may_create=_may_create(listing),
        action=chooser.visit.url(FOLDER_ROUTE),
        name=name,
        problem=problem,
        done=query.get('done', ''),
    )


def _title(path: Path) -> str:
    return path[-1] if path else 'Egnyte'


def _is_choosable(listing: Listing) -> bool:
    # Egnyte takes no files directly in /, /Shared and /Private, and does not always tell so.
    return len(listing.entry.path) > 1 and listing.entry.access >= Access.EDIT


def _may_create(listing: Listing) -> bool:
    return key(listing.entry.path) not in {(), ('private',)} and listing.entry.access >= Access.EDIT
