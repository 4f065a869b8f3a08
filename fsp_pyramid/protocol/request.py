"""``request.fsp``: the context of a request below a mount."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from pyramid.request import Request

from ..clients import ClientBackend
from ..egnyte import CallInfo, Priority
from ..errors import Unauthorized
from ..interfaces import FSPContext, IMount
from ..model import Account, Entry, Identity
from ..public.urls import PublicURLs
from ..reify import reify
from ..settings import ClientSettings
from ..storage.cached import CacheLookup
from ..storage.factory import StorageListener
from ..storage.operations import Operations
from ..storage.undo import UndoLog, UndoManager


class RequestContext(FSPContext):
    """Context of a request below a mount: mount, caller, account and files. Hosts use the part in FSPContext.

    Its figures (calls, support id) are in ``request.fsp_stats``, which requests without a mount have as well.
    """

    def __init__(self, request: Request) -> None:
        self._request = request

    @reify
    def mount(self) -> IMount:
        """The mount that serves the request. Raises ComponentLookupError for requests of other routes."""
        route = self._request.matched_route
        return self._request.registry.getUtility(IMount, name=route.name if route else '')

    @reify
    def identity(self) -> Identity | None:
        """The caller; None without valid credentials."""
        return self.mount.policy.identity(self._request)

    @property
    def caller(self) -> Identity:
        """The caller. Raises Unauthorized without valid credentials; ``guarded_view`` checks them before our views."""
        identity = self.identity
        if identity is None:
            raise Unauthorized
        return identity

    @property
    def backend(self) -> ClientBackend:
        """The backend of the caller's client."""
        return self.mount.client_backends[self.caller.client]

    @property
    def settings(self) -> ClientSettings:
        """The settings of the caller's client."""
        return self.backend.settings

    @reify
    def account(self) -> Account:
        """The caller's account at Egnyte. Raises NotConnected, ConnectionExpired."""
        return self.backend.accounts.of(self.caller, self._request)

    @property
    def priority(self) -> Priority:
        """The priority of the request's calls to Egnyte."""
        # A read before a write is part of it: without it, a write could not use the last calls of the day.
        return Priority.READ if self._request.method in {'GET', 'HEAD'} else Priority.WRITE

    @reify
    def storage(self) -> Operations:
        """The caller's files."""
        return self.backend.operations(
            self.caller, self.account, self.undo_log, _Listener(self._request), self.priority
        )

    def download_slot(self) -> AbstractContextManager[None]:
        """Return a slot for a download of the caller's. Entering it may raise Busy."""
        return self.backend.download_slot(self.caller)

    def report_refused_token(self) -> None:
        """Report that Egnyte refused the account's token. Raises ConnectionExpired or Busy: see IAccounts.refused."""
        self.backend.accounts.refused(self.account, self._request)

    # Undo

    @reify
    def undo_log(self) -> UndoLog:
        """The log of this request's changes; it takes part in the request's transaction, if there is one."""
        if not _in_transaction(self._request):
            return UndoLog()
        undo_log = UndoManager(self._request.tm)
        self._request.add_finished_callback(lambda request: _settle(request, undo_log))
        return undo_log

    @contextmanager
    def undo_on_error(self) -> Iterator[None]:
        """Roll back the request's changes at once if the block raises and no transaction rolls them back."""
        try:
            yield
        except BaseException:
            if not isinstance(self.undo_log, UndoManager):
                self.undo_log.roll_back()
            raise

    # Public content

    def types(self, files: Iterable[Entry]) -> list[str]:
        """Return the mime type of each file."""
        return self.mount.public.content_service.types(files)

    def prepare_thumbnail(self, entry: Entry) -> None:
        """Prepare the thumbnail of a file that was uploaded."""
        self.mount.public.content_service.prepare_thumbnail(self.account.key, entry)

    @reify
    def public_urls(self) -> PublicURLs:
        """The maker of public URLs, one for all entries of a listing."""
        public = self.mount.public
        return PublicURLs(public.url(self._request), public.signer)

    def public_url(self, entry: Entry) -> str:
        """Return the URL of a file, which needs no credentials."""
        return self.public_urls.file(self.account.key, entry)

    def thumbnail_url(self, entry: Entry, mime_type: str) -> str | None:
        """Return the URL of a file's thumbnail, which changes with the content; None for types without thumbnails."""
        return self.public_urls.thumbnail(self.account.key, entry, mime_type)


class _Listener(StorageListener):
    """Listener of a request's storage: count events, and set headers of the response."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def call_made(self, call: CallInfo) -> None:
        """Count the call."""
        self._request.fsp_stats.count_call(call)

    def cache_lookup(self, lookup: CacheLookup) -> None:
        """Count the look-up; the response says if it rests on an expired listing."""
        self._request.fsp_stats.cache_lookup(lookup)
        if lookup.outcome == 'stale':
            self._request.response.headers.update({'Age': str(int(lookup.age)), 'X-FSP-Stale': lookup.reason})


def _in_transaction(request: Request) -> bool:
    return 'tm.active' in request.environ


def _settle(request: Request, undo_log: UndoManager) -> None:
    # If a before-commit hook raises, pyramid_tm neither commits nor aborts. A transaction that is still active is that
    # of an application around this one.
    if not _in_transaction(request):
        undo_log.roll_back()


def undoing_view(view: Callable[..., Any], info: Any) -> Callable[..., Any]:
    """View deriver: roll back the changes of a failing view of ours where no transaction does."""
    if info.options.get('fsp_permission') is None:
        return view

    def undoing(context: Any, request: Request) -> Any:
        with request.fsp.undo_on_error():
            return view(context, request)

    return undoing
