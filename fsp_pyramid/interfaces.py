"""Every contract that somebody may implement, replace or adapt."""

from collections.abc import Callable, Sequence
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
    """A node of the tree below a mount: a name and a parent, never any I/O."""

    __name__ = Attribute('The last name of the path; the empty string for the root.')
    __parent__ = Attribute('The IDirectory that contains it; None for the root.')
    path = Attribute('The names from the root on: a tuple of str, () for the root.')


class IDirectory(IResource):
    """Was asked for with a trailing slash. Whether Egnyte has it is for the view to find out."""


class IFile(IResource):
    """Was asked for without a trailing slash."""


class IStorage(Interface):
    """Files and directories by path, each of them changed by what it is and not by where it is.

    A path is a tuple of names (:mod:`fsp_pyramid.paths`); names are compared without regard to case. All methods raise
    the errors of :mod:`fsp_pyramid.errors`: besides those named at each method, EgnyteUnavailable, Busy, QuotaUsedUp,
    Forbidden (Egnyte's own refusal) and InternalError.

    The layers (folders, undo, cached, egnyte) all provide it, each on top of another one. Methods that change
    something return a Change, which :meth:`revert` takes back, by id.
    """

    def list_directory(path: Path, fresh: bool = False) -> Listing:
        """The directory and what is in it, directories first, each kind by name without regard to case.

        *fresh* asks for what is true now, not for what a cache remembers.
        Raises NotFound where there is no directory of that path (also: where a file has it).
        """

    def stat_file(path: Path) -> Entry:
        """The file at *path*. Raises NotFound where there is none (also: where a directory has the path)."""

    def peek_directory(path: Path) -> Entry | None:
        """What is known of the directory without asking anybody, by memory or configuration; None where nothing is."""

    def find_file(file_id: str) -> Entry:
        """The file of that id, wherever it is now. Raises NotFound (also: it is where the caller sees nothing)."""

    def create_directory(path: Path, with_parent: bool = False) -> tuple[Entry, Change]:
        """Create the directory, and those parents of it that are missing.

        The parents stay if it is reverted; only with *with_parent* the one directly above goes, too, if it is empty and
        was created with this one, as far as times can tell.

        Raises NameTaken where a directory has that name (with a file there Egnyte says Forbidden), NameNotAllowed where
        Egnyte refuses the name. The Change is ``found`` as with :meth:`store_file`.
        """

    def store_file(path: Path, content: Content, over: Entry | None = None) -> tuple[Entry, Change]:
        """Store *content* at *path*; a file that is there gets a new version and keeps its id.

        *over* is that file as far as the caller knows, so that a version that was there before is not taken for ours
        when the connection breaks. The Change is ``found`` where it cannot be told whether what is there is ours.
        Raises NotFound where the parent is missing, DirectoryInTheWay where a directory has the path, NameNotAllowed,
        Locked, what reading *content* raises (nothing was stored then), and SourceFailed where Egnyte holds other bytes
        than were sent (nothing stays then, or it is a LeftBehind with the Change that takes it back).
        """

    def delete(entry: Entry) -> Change:
        """Delete what *entry* describes, by its id. A directory goes with all that is in it: look before.

        An id names the thing and not its place: if somebody has moved the file since *entry* was read, it is deleted
        where it is now. It is in the trash then.

        Raises NotFound where it is gone already, Locked.
        """

    def move_file(entry: Entry, path: Path) -> tuple[Entry, Change]:
        """Move the file to *path*, where nothing may be; it keeps its id.

        Raises NotFound (the file or the new parent is gone), Conflict (the place is taken), NameNotAllowed, Locked.
        """

    def open_file(file_id: str, byte_range: tuple[int, int | None] | None = None) -> Download:
        """The current content of a file, as a stream that the caller closes.

        *byte_range* is the first byte and the last one, or None for the end. Raises NotFound.
        """

    def lock(*paths: Path) -> AbstractContextManager[Any]:
        """Nobody else changes what these directories hold, as far as they ask us, until the context is left.

        Who decides by looking (is the name free?) holds the directory from the look to the deed. The context gives a
        :class:`fsp_pyramid.concurrency.locks.Held`, which tells whether other processes are kept off as well.

        Raises Busy if others hold one of them for long, or too many wait already.
        """

    def revert(change: Change) -> None:
        """Take *change* back, by id, as far as nobody has built on it since: never more than it did.

        It holds the directories that the change is about: who calls it must not.
        What is gone already counts as taken back. Raises FSPError where it could not be taken back.
        """


class IObserver(Interface):
    """Hears of an account's files, by :class:`fsp_pyramid.storage.observed.ObservedStorage`.

    It must neither raise nor keep the caller waiting for long: the files are what the caller came for.
    """

    def listed(files: Sequence[Entry], asked: float) -> None:
        """Egnyte told of these files; it was asked at *asked*, in UNIX seconds."""

    def changing(file: Entry | None) -> AbstractContextManager[None]:
        """The file is changed in this context: what is known of it is in doubt until the observer hears how that ended.

        None stands for what no version is known of: a new file, or a directory.
        """

    def stored(file: Entry, content: Content) -> None:
        """We stored *content* as the current version of *file*."""

    def moved(file: Entry) -> None:
        """The file has the path of *file* now; what else it says may be older."""

    def deleted(file: Entry) -> None:
        """We deleted the file."""

    def invalidated(file: Entry) -> None:
        """The version in *file* may have been taken back: what is known of the file may be wrong."""


class IUndoLog(Interface):
    """Where a storage notes what it changed, so that an aborted transaction takes it back."""

    def begin() -> None:
        """Something is about to be changed. Raises where the transaction takes no more changes: nothing may be done."""

    def record(change: Change, storage: IStorage) -> None:
        """*change* happened at *storage*: call ``storage.revert(change)`` if the transaction ends badly."""


class IAccounts(Interface):
    """Which accounts at Egnyte serve the users of one client.

    All methods get the request that asks: what it does to accounts takes part in its transaction.
    """

    def of(identity: Identity, request: Any) -> Account:
        """The account of a caller. Raises NotConnected where they have none, ConnectionExpired where they had one."""

    def numbered(number: int, request: Any) -> Account:
        """The account of a public link, with the token of the site (``fsp.public.token``) where its user is gone.

        Raises NotFound, NotConnected, ConnectionExpired.
        """

    def refused(account: Account, request: Any) -> None:
        """Egnyte does not know the account's token any more.

        Raises ConnectionExpired if only its user can mend that, Busy if it was mended and another try may succeed.
        """


class IAccountStores(Interface):
    """The database of accounts, one for an application."""

    def __call__(request: Any) -> Any:
        """The AccountStore of a request."""

    def probe(request: Any) -> Callable[[], None]:
        """What asks the database whether it is there, and raises what it says. To be called from any thread."""

    def close() -> None:
        """Close the connections to the database that are not in use; the next use opens new ones."""


class IBackends(Interface):
    """What is known and held in this process, or in all that share a backend; one for all mounts of an application.

    Whose is what is told by tokens and by accounts: two mounts with one token have the same rights at Egnyte.
    """

    rate_limiter = Attribute('When a token may make its next call: see egnyte.Pace.')
    locks = Attribute('Which directories are held: storage.locks.Locks, or storage.redis_locks.RedisLocks.')
    downloads = Attribute('How many downloads go on at once: see shares.Shares.')
    listing_cache = Attribute('Listings that are remembered: see storage.shelf.Shelf.')
    version_feed = Attribute('What other machines did to files: public.news.RedisNews, or NoNews.')
    watch = Attribute("Looks at Egnyte's events, None where nobody does: see storage.watch.Watch.")


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
    """Where an application serves files without credentials; one for all of its mounts."""

    path = Attribute('The path below SCRIPT_NAME, with any route_prefix.')
    base_url = Attribute("The URL of another host that content is loaded from; '' for this one.")
    signer = Attribute('Makes and checks the tokens of links.')
    content_service = Attribute('Answers who comes with a link: see public.desk.Desk.')
    max_age = Attribute('Seconds that clients may keep what they loaded.')
    sendfile = Attribute('Who sends files that are kept here: "none" for us, "nginx".')
    bodies = Attribute('A semaphore: how many bodies may be sent at once.')


class IConnect(Interface):
    """Where users of an application connect their accounts; one for all of its mounts."""

    path = Attribute('The path below SCRIPT_NAME, with any route_prefix.')
    lifetime = Attribute('Seconds that links are good for.')
    links = Attribute('Makes and reads the tokens of links: connect.links.Links.')
    states = Attribute('Makes and reads the states that go through Egnyte: connect.states.States.')
    templates = Attribute('The jinja2.Environment of the pages.')
