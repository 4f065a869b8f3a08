"""``request.fsp``: what our views know of their request."""

import secrets
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from ..clients import ClientBackend
from ..content.links import Link, digits
from ..egnyte import CallInfo, Priority
from ..imaging.render import TYPES
from ..interfaces import IMetrics, IMount
from ..model import Account, Entry, Identity
from ..storage.cached import CacheLookup
from ..storage.operations import Operations
from ..storage.undo import UndoLog, UndoManager
from .traversal import quoted

# What came of a look at a remembered listing, the cheapest first.
COSTS = ('hit', 'stale', 'miss')


class RequestContext:
    """One request below a mount.

    :ivar code: of the error that it was answered with, None for a success
    :ivar bytes: that an upload stored
    :ivar calls: to Egnyte, so far
    :ivar waited: seconds for the turns of these calls
    :ivar cache: what became of its looks at remembered listings: ``hit``, ``stale`` or ``miss``, the costliest of them;
        None where it had none
    """

    code: int | None = None
    bytes: int = 0
    calls: int = 0
    waited: float = 0.0
    cache: str | None = None

    def __init__(self, request: Any) -> None:
        self._request = request

    def count_call(self, called: CallInfo) -> None:
        """Another call to Egnyte was made."""
        self.calls += 1
        self.waited += called.waited

    def looked(self, looked: CacheLookup) -> None:
        """A listing was looked up; the answer says if it rests on one that is older than it should be."""
        self.cache = max(self.cache or looked.outcome, looked.outcome, key=COSTS.index)
        self.metrics.looked(looked.outcome)
        if looked.outcome == 'stale':
            self._request.response.headers.update({'Age': str(int(looked.age)), 'X-FSP-Stale': looked.reason})

    @cached_property
    def metrics(self) -> Any:
        """The IMeter of the application."""
        return self._request.registry.getUtility(IMetrics)

    @cached_property
    def mount(self) -> Any:
        """The IMount that serves the request. Raises ComponentLookupError for requests of others."""
        route = self._request.matched_route
        return self._request.registry.getUtility(IMount, name=route.name if route else '')

    @property
    def identity(self) -> Identity | None:
        """Who calls; None for somebody unknown."""
        return self.mount.policy.identity(self._request)

    @cached_property
    def support_id(self) -> str:
        """What a user tells the support, and the support finds in the log: 8 hex digits."""
        return secrets.token_hex(4)

    @cached_property
    def undo_log(self) -> UndoLog:
        """Where this request's changes are noted: in its transaction, if it has one."""
        if not _in_transaction(self._request):
            return UndoLog()
        undo_log = UndoManager(self._request.tm)
        self._request.add_finished_callback(lambda request: _settle(request, undo_log))
        return undo_log

    @property
    def backend(self) -> ClientBackend:
        """The caller's client."""
        return self.mount.client_backends[self.identity.client]

    @cached_property
    def account(self) -> Account:
        """The caller's account at Egnyte. Raises NotConnected, ConnectionExpired."""
        return self.backend.accounts.of(self.identity, self._request)

    @cached_property
    def storage(self) -> Operations:
        """The caller's files."""
        # The look before a deed is part of it: without it the last calls of the day would be of no use to writes.
        priority = Priority.READ if self._request.method in {'GET', 'HEAD'} else Priority.WRITE
        return self.backend.operations(
            self.identity, self.account, self.undo_log, self.count_call, priority, self.looked
        )

    @cached_property
    def public_base(self) -> str:
        """The URL below which public files are. A listing wants it for each of its entries."""
        public = self.mount.public
        return public.base_url or self._request.application_url + quoted(public.path)

    def public_url(self, entry: Entry) -> str:
        """The URL of a file, for people without credentials."""
        return self._public_url(entry, self.mount.public.signer.sign(self._link(entry)))

    def types(self, files: Iterable[Entry]) -> list[str]:
        """The mime type of each file."""
        return self.mount.public.content_service.types(files)

    def thumbnail_url(self, entry: Entry, mime_type: str) -> str | None:
        """The URL of the thumbnail of a file, None for what has no picture. It changes with the content."""
        if mime_type not in TYPES or not entry.checksum:
            return None
        content = digits(entry.checksum)
        token = self.mount.public.signer.sign_thumbnail(self._link(entry), content)
        return self._public_url(entry, f'{token}/{content}')

    def _link(self, entry: Entry) -> Link:
        return Link(self.account.key, entry.id or '')

    def _public_url(self, entry: Entry, token: str) -> str:
        return f'{self.public_base}/{token}/{quoted(entry.name)}'


def _in_transaction(request: Any) -> bool:
    return 'tm.active' in request.environ


def _settle(request: Any, undo_log: UndoManager) -> None:
    # Where a before-commit hook of somebody's raises, pyramid_tm neither commits nor aborts. A transaction that is
    # active still is that of an application around this one.
    if not _in_transaction(request):
        undo_log.roll_back()


def undoing_view(view: Callable[..., Any], info: Any) -> Callable[..., Any]:
    """View deriver: where no transaction does it, take back at once what a failing view of ours had changed."""
    if info.options.get('fsp_permission') is None:
        return view

    def undoing(context: Any, request: Any) -> Any:
        try:
            return view(context, request)
        except BaseException:
            if not isinstance(request.fsp.undo_log, UndoManager):
                request.fsp.undo_log.roll_back()
            raise

    return undoing
