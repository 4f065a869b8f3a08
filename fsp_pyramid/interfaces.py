"""Contracts that other code implements, replaces or adapts."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from zope.interface import Attribute, Interface

from .model import (
    Account,
    Change,
    Content,
    Download,
    Entry,
    Identity,
    Listing,
)
from .paths import Path


class IResource(Interface):
    """Node of the tree below a mount: a name and a parent, without I/O."""

    __name__ = Attribute('The last name of the path; the empty string for the root.')
    __parent__ = Attribute('The IDirectory that contains it; None for the root.')
    path = Attribute('The names from the root on: a tuple of str, () for the root.')


class IDirectory(IResource):
    """Path with a trailing slash. It may not exist at Egnyte; the view finds out."""


class IFile(IResource):
    """Path without a trailing slash. It may not exist at Egnyte; the view finds out."""


class IStorage(Interface):
    """Files and directories by path; changes go by id, so that they follow a file that was moved meanwhile.

    A path is a tuple of names (:mod:`fsp_pyramid.paths`); names are compared without regard to case. All methods raise
    the errors of :mod:`fsp_pyramid.errors`: besides those listed at each method, EgnyteUnavailable, Busy, QuotaUsedUp,
    Forbidden (Egnyte's own refusal) and InternalError.

    All layers (mapped, undo, cached, observed, egnyte) provide it, each on top of another one. Methods that change
    something return a Change, which :meth:`revert` rolls back, by id.
    """

    def list_directory(path: Path, fresh: bool = False) -> Listing:
        """Return the directory and its items, directories first, each kind by name without regard to case.

        *fresh* bypasses caches. Raises NotFound if there is no directory of that path, or if a file has the path.
        """

    def stat_file(path: Path) -> Entry:
        """Return the file at *path*. Raises NotFound if there is none, or if a directory has the path."""

    def peek_directory(path: Path) -> Entry | None:
        """Return the directory as cache or configuration know it, without a call; None if it is unknown."""

    def find_file(file_id: str) -> Entry:
        """Return the file of that id, at its current path. Raises NotFound, also if the caller may not see it there."""

    def create_directory(path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Create the directory, and its missing parents.

        The parents stay if it is reverted. With *with_parent*, the one directly above is deleted as well if it is empty
        and, as far as times can tell, was created with this directory.

        Raises NameTaken if a directory has that name (if a file has it, Egnyte answers Forbidden), NameNotAllowed if
        Egnyte refuses the name. The Change is ``found`` as with :meth:`store_file`.
        """

    def store_file(path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Store *content* at *path*; an existing file gets a new version and keeps its id.

        *over* is that file as far as the caller knows, so that an older version is not taken for ours if the connection
        breaks. The Change is ``found`` if it is uncertain that the stored version is ours.
        Raises NotFound if the parent is missing, DirectoryInTheWay if a directory has the path, NameNotAllowed,
        Locked, the errors of reading *content* (nothing is stored then), and SourceFailed if Egnyte has other bytes
        than were sent (nothing is left then, or it is a CorruptUpload with the Change that rolls it back).
        """

    def delete(entry: Entry) -> Change:
        """Delete *entry* by its id, into the trash. A directory is deleted with all its contents: list it before.

        A file that was moved since *entry* was read is deleted at its new path. Raises NotFound if it does not exist
        any more, Locked.
        """

    def move_file(entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Move the file to *path*, which must be free; the file keeps its id.

        Raises NotFound (the file or the new parent does not exist), Conflict (*path* is taken), NameNotAllowed, Locked.
        """

    def open_file(file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """Return the current content of a file, as a stream that the caller closes.

        *byte_range* is the first byte and the last one, or None for the end. Raises NotFound.
        """

    def lock(*paths: Path) -> AbstractContextManager[Any]:
        """Lock directories: no other user of the locks changes their items until the context is left.

        A caller that decides by a listing (is the name free?) holds the lock from the listing to the write. The context
        gives a :class:`fsp_pyramid.concurrency.locks.LockHandle`, which tells if other processes are excluded as well.

        Raises Busy if one of the locks is held for long, or if too many threads wait.
        """

    def revert(change: Change) -> None:
        """Roll *change* back, by id, unless later changes depend on it: never more than it did.

        It locks the directories of the change, so the caller must not hold those locks. An item that does not exist any
        more counts as rolled back. Raises FSPError if the rollback fails.
        """


class IObserver(Interface):
    """Receives the events of an account's files from :class:`fsp_pyramid.storage.observed.ObservedStorage`.

    Its methods neither raise nor block for long: the request waits for them.
    """

    def listed(files: Sequence[Entry], asked: float) -> None:
        """Handle files in an answer of Egnyte, which was asked at *asked*, in UNIX seconds."""

    def changing(file: Entry | None) -> AbstractContextManager[None]:
        """Return a context in which the file is changed: its version is uncertain until the outcome is reported.

        None stands for an item without a known version: a new file, or a directory.
        """

    def stored(file: Entry, content: Content) -> None:
        """Handle an upload: *content* is the current version of *file*."""

    def moved(file: Entry) -> None:
        """Handle a move: the file has the path of *file*; its other fields may be older."""

    def deleted(file: Entry) -> None:
        """Handle a deletion."""

    def invalidated(file: Entry) -> None:
        """Handle a rollback or an event: the version in *file* may not be the current one."""


class IUndoLog(Interface):
    """Log of a storage's changes, which are rolled back if the transaction aborts."""

    def begin() -> None:
        """Prepare for a change. Raises if the transaction accepts no more changes: nothing may be changed then."""

    def record(change: Change, storage: IStorage) -> None:
        """Record *change*: ``storage.revert(change)`` is called if the transaction aborts."""


class IAccounts(Interface):
    """Accounts at Egnyte that serve the users of one client.

    All methods get the current request: changes of accounts take part in its transaction.
    """

    def of(identity: Identity, request: Any) -> Account:
        """Return the caller's account. Raises NotConnected if there is none, ConnectionExpired if it has ended."""

    def numbered(number: int, request: Any) -> Account:
        """Return the account of a public link, with the site's token (``fsp.public.token``) if the user's is gone.

        Raises NotFound, NotConnected, ConnectionExpired.
        """

    def refused(account: Account, request: Any) -> None:
        """Handle Egnyte's refusal of the account's token.

        Raises ConnectionExpired if only the user can repair it, Busy if it was repaired and a retry may succeed.
        """


class IAccountStores(Interface):
    """Database of accounts, one per application."""

    def __call__(request: Any) -> Any:
        """Return the AccountStore of a request."""

    def probe(request: Any) -> Callable[[], None]:
        """Return a function that checks the database, for any thread, and raises the database's error."""

    def close() -> None:
        """Close the idle connections to the database; the next use opens new ones."""


class IBackends(Interface):
    """State that is shared by all mounts of an application, in this process or in a backend that processes share.

    Its keys are tokens and accounts: two mounts with one token have the same rights at Egnyte.
    """

    rate_limiter = Attribute('Rate limiter of calls to Egnyte: egnyte.RateLimiter.')
    locks = Attribute('Locks of directories: concurrency.locks.KeyedLocks, or redis_locks.RedisKeyedLocks.')
    downloads = Attribute('Limiter of downloads of sources: concurrency.bulkhead.Bulkhead.')
    calls = Attribute('Limiter of threads that call Egnyte: concurrency.bulkhead.Bulkhead.')
    listing_cache = Attribute('Cache of listings: storage.listing_cache.ListingCache.')
    version_feed = Attribute(
        'File versions from other machines: content.version_feed.RedisVersionFeed, or NullVersionFeed.'
    )
    event_poller = Attribute("Poller of Egnyte's events, None without events: storage.event_poller.EventPoller.")


class IRenderedListings(Interface):
    """Bodies of responses to listings, shared by all mounts of an application."""

    def get(key: Hashable) -> Any:
        """Return what was rendered for *key*; None if there is nothing."""

    def put(key: Hashable, rendered: Any) -> None:
        """Keep what was rendered, within a bound on the memory of all."""


class IMount(Interface):
    """One place in an application where the protocol is answered; a utility under its name."""

    name = Attribute('The name of its route, and of its account in public links.')
    path = Attribute('Where it is: the path of its base URL below SCRIPT_NAME, with any route_prefix.')
    settings = Attribute('Its Settings.')
    policy = Attribute('Its ISecurityPolicy.')
    client_backends = Attribute(
        'Its clients by their names, each with what its requests share: connections and accounts.'
    )
    public = Attribute('The IPublic of the application.')
    rendered_listings = Attribute('The IRenderedListings of the application.')


class FSPContext(Protocol):
    """Type of ``request.fsp`` for hosts: ``cast(FSPContext, request.fsp)``.

    Below a mount only: for other requests, the attributes raise ComponentLookupError.
    """

    @property
    def mount(self) -> IMount:
        """The mount that serves the request, with its ``name`` and ``path``."""

    @property
    def identity(self) -> Identity | None:
        """The caller, with the ``client_id`` and the ``uid`` that Beefree sent; None without valid credentials."""


class IPublic(Interface):
    """Public surface of an application, which serves files without credentials; one for all of its mounts."""

    path = Attribute('The path below SCRIPT_NAME, with any route_prefix.')
    base_url = Attribute("The URL of another host that content is loaded from; '' for this one.")

    def url(request: Any) -> str:
        """Return the beginning of public URLs for the host that *request* called."""

    signer = Attribute('Maker and checker of the tokens of links: see content.links.Signer.')
    content_service = Attribute('Contents and thumbnails behind links: see content.service.ContentService.')
    max_age = Attribute('Seconds for which clients may cache a content.')
    sendfile = Attribute('Server that sends cached files: "none" for this one, or "nginx".')
    bodies = Attribute('A semaphore that bounds how many bodies are sent at once.')


class IRequestHistory(Interface):
    """Memory of the latest requests of a process."""

    def record(event: Mapping[str, Any]) -> None:
        """Record an answered request, by the fields of its line in the audit log or access log."""


class IConsole(Interface):
    """Console of an application."""

    path = Attribute('The path below SCRIPT_NAME, with any route_prefix.')
    settings = Attribute('The Settings of the application.')
    sessions = Attribute('Sessions of browsers: console.sessions.Sessions.')
    access = Attribute('Access control: console.access.Access.')
    attempts = Attribute('Limit of failed logins: console.attempts.Attempts.')
    history = Attribute('The latest requests: console.activity.History.')
    activity = Attribute('Calls of the last hours: console.activity.Activity.')
    readiness = Attribute('Checks of the services that requests need: ops.checks.Readiness.')
    templates = Attribute('The jinja2.Environment of the pages.')


class IConnect(Interface):
    """Pages on which users of an application connect their accounts; one for all of its mounts."""

    path = Attribute('The path below SCRIPT_NAME, with any route_prefix.')
    lifetime = Attribute('Seconds that links are good for.')
    return_origins = Attribute('Origins of the pages that users may be led back to.')
    links = Attribute('Makes and reads the tokens of links: connect.links.Links.')
    states = Attribute('Makes and reads the states that go through Egnyte: connect.states.States.')
    templates = Attribute('The jinja2.Environment of the pages.')
