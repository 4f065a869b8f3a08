"""Folder chooser: browse a user's Egnyte one level at a time, create folders, choose one for the files."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

from pyramid.request import Request
from pyramid.response import Response

from .. import errors
from ..i18n import _
from ..model import Access, Account, Listing
from ..paths import (
    Path,
    PathError,
    fold,
    key,
    parse,
    text,
)
from ..storage.factory import CallListener
from ..storage.operations import Operations
from ..storage.undo import UndoStorage
from .context import FOLDER_ROUTE, ConnectContext, PageError, page_translator
from .links import Purpose
from .rendering import render
from .views import folders_of, redirect

if TYPE_CHECKING:
    from ..accounts.store import Connection

# Folders on a page; users find the others by the search.
PAGE_SIZE = 200


class FolderLink(NamedTuple):
    """Link to the page of a folder, and a text about it."""

    name: str
    url: str
    note: str = ''


class Chooser(NamedTuple):
    """Arguments of the views: the user's connection, account and files."""

    context: ConnectContext
    request: Request
    connection: 'Connection'
    account: Account
    operations: Operations

    def listing(self, asked: str) -> Listing:
        """Return the folder at the path *asked*, uncached: users who miss a folder have just created it at Egnyte."""
        try:
            return self.operations.list_directory(parse(asked)[0], fresh=True)
        except (PathError, errors.NotFound):
            raise PageError(
                404,
                _('connect-no-folder-title', 'There is no such folder'),
                _('connect-no-folder', 'Perhaps it was moved or deleted.'),
            ) from None

    def find(self, path: Path) -> Listing | None:
        """Return a folder; None if it does not exist, or may not be seen."""
        try:
            return self.operations.list_directory(path, fresh=True)
        except (errors.NotFound, errors.Forbidden):
            return None

    def url(self, path: Path) -> str:
        """Return the URL of the page of a folder."""
        return self.context.url(FOLDER_ROUTE, at=text(path))

    def set_folder(self, path: str | None) -> Response:
        """Store *path* as the folder for the files; None for the default."""
        self.context.accounts.set_folder(self.request, self.connection.number, path)
        return redirect(f'{self.context.home}?done=folder')


def _chooser_view(view: Callable[[Chooser], Response]) -> Callable[[ConnectContext, Request], Response]:
    """Return the Pyramid view of *view*, for users who have connected an account."""

    @wraps(view)
    def wrapped(context: ConnectContext, request: Request) -> Response:
        connection = context.connection()
        if not context.has_choice:
            raise _no_choice(context, request, connection)
        if connection is None:
            raise errors.NotConnected(
                _(
                    'connect-not-connected',
                    'Open “Connect Egnyte” in ${application} first, and choose a folder afterwards.',
                    application=context.application,
                )
            )
        account = context.accounts.account(request, connection)
        try:
            return view(Chooser(context, request, connection, account, _operations(context, request, account)))
        except errors.TokenRefused:
            context.accounts.refused(account, request)
            raise

    return wrapped


def _operations(context: ConnectContext, request: Request, account: Account) -> Operations:
    """Return the operations on the user's files, at Egnyte's own paths."""
    storage = context.backend.storage(account, CallListener(request.fsp_stats.count_call), request.fsp.priority)
    return Operations(UndoStorage(storage, request.fsp.undo_log))


def _no_choice(context: ConnectContext, request: Request, connection: 'Connection | None') -> PageError:
    translate = page_translator(request, context)
    folders = '; '.join(map(translate, folders_of(context, connection))) if connection else ''
    details = _(
        'connect-no-choice',
        '${application} decides where your files are kept. If you may not open or change files there, ask the '
        'administrator of your Egnyte for permission.',
        application=context.application,
    )
    if folders:
        details = _(
            'connect-no-choice-folders',
            '${application} decides where your files are kept: ${folders}. If you may not open or change files there, '
            'ask the administrator of your Egnyte for permission.',
            application=context.application,
            folders=folders,
        )
    return PageError(404, _('connect-no-choice-title', 'There is nothing to choose'), details)


@_chooser_view
def browse(chooser: Chooser) -> Response:
    """Show a folder; by default the chosen one if there is one, else where to start."""
    asked = chooser.request.GET.get('at')
    if asked is None:
        chosen = chooser.find(chooser.account.folder) if chooser.connection.folder else None
        return _page(chooser, chosen) if chosen else _start_page(chooser)
    return _start_page(chooser) if asked == '/' else _page(chooser, chooser.listing(asked))


@_chooser_view
def choose(chooser: Chooser) -> Response:
    """Store the shown folder as the one for the files."""
    listing = chooser.listing(chooser.request.POST.get('at', ''))
    if not _is_choosable(listing):
        raise errors.Forbidden(
            _('connect-folder-not-writable', 'You may not add files to this folder. Choose another one.')
        )
    return chooser.set_folder(text(listing.entry.path))


@_chooser_view
def choose_default(chooser: Chooser) -> Response:
    """Return to the default folder."""
    return chooser.set_folder(None)


@_chooser_view
def create(chooser: Chooser) -> Response:
    """Create a folder and show it."""
    form = chooser.request.POST
    listing, name = chooser.listing(form.get('at', '')), form.get('name', '').strip()
    if not name:
        return _page(chooser, listing, problem=_('connect-folder-unnamed', 'Enter a name for the new folder.'))
    try:
        entry = chooser.operations.create_directory((*listing.entry.path, name))
    except (errors.Conflict, errors.NameTaken, errors.NameNotAllowed, errors.Forbidden) as error:
        return _page(chooser, listing, name=name, problem=error.details)
    return redirect(chooser.url(entry.path))


def _page(chooser: Chooser, listing: Listing, *, name: str = '', problem: str = '') -> Response:
    path = listing.entry.path
    find = chooser.request.GET.get('find', '').strip()
    folders = [item for item in listing.items if item.is_directory]
    found = [item for item in folders if fold(find) in fold(item.name)]
    return _render(
        chooser,
        path,
        400 if problem else 200,
        crumbs=[FolderLink(_title(path[:end]), chooser.url(path[:end])) for end in range(len(path))],
        folders=[FolderLink(item.name, chooser.url(item.path)) for item in found[:PAGE_SIZE]],
        count=len(folders),
        left_off=len(found[PAGE_SIZE:]),
        find=find,
        is_target=path == chooser.account.folder,
        is_choosable=_is_choosable(listing),
        may_create=_may_create(listing),
        name=name,
        problem=problem,
    )


def _start_page(chooser: Chooser) -> Response:
    """Show the folders in which users find all others: Egnyte's own root has nothing else in it."""
    shared: Path = ('Shared',)
    private: Path = ('Private', chooser.account.username)
    starts = [(shared, _('connect-start-shared', 'Folders that you share with others'))]
    if chooser.find(private):  # an administrator may have turned private folders off
        starts.append((private, _('connect-start-private', 'Folders of your own')))
    return _render(
        chooser,
        (),
        folders=[FolderLink(text(path), chooser.url(path), note) for path, note in starts],
        is_start=True,
    )


def _render(chooser: Chooser, path: Path, status: int = 200, **values: Any) -> Response:
    """Render the page of a folder."""
    context, done = chooser.context, chooser.request.GET.get('done', '')
    defaults = {
        'crumbs': [],
        'count': 0,
        'left_off': 0,
        'find': '',
        'is_start': False,
        'is_target': False,
        'is_choosable': False,
        'may_create': False,
        'name': '',
        'problem': '',
    }
    return render(
        chooser.request,
        'folder',
        status,
        visit=context,
        outcome='folder' if done == 'folder' else '',
        at=text(path),
        here=chooser.url(path),
        overview=context.home if context.link.purpose == Purpose.CONNECT else '',
        title=_title(path),
        target=text(chooser.account.folder),
        picked=chooser.connection.folder is not None,
        action=context.url(FOLDER_ROUTE),
        done=done,
        **defaults | values,
    )


def _title(path: Path) -> str:
    return path[-1] if path else 'Egnyte'


def _is_choosable(listing: Listing) -> bool:
    # Egnyte takes no files directly in /, /Shared and /Private, and its permissions do not always say so.
    return len(listing.entry.path) > 1 and listing.entry.access >= Access.EDIT


def _may_create(listing: Listing) -> bool:
    return key(listing.entry.path) not in {(), ('private',)} and listing.entry.access >= Access.EDIT
