"""Importer: stores assets once, whatever interrupts it, and writes documents with their new URLs."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import NamedTuple, Protocol

from .. import errors, paths
from ..model import Content, Entry, Listing
from ..paths import Path
from ..sources import SourceError
from ..storage.conflicts import free_name
from .documents import Document
from .fetching import Fetched, Opener, Rules, fetch, open_file
from .policy import Left, Policy
from .state import Asset, State

# Failures of one asset; the others follow.
_OF_ASSET = (
    errors.BadRequest,
    errors.Conflict,
    errors.DirectoryInTheWay,
    errors.FileTooLarge,
    errors.Locked,
    errors.NameNotAllowed,
    errors.NameTaken,
    errors.SourceFailed,
    errors.TypeNotAllowed,
)
_SHA512 = re.compile('[0-9a-f]{128}')
# Rounds in which other users take the name that was chosen.
_ROUNDS = 5


class Destination(Protocol):
    """Destination of assets. Methods raise the errors of :mod:`fsp_pyramid.errors`.

    :ivar calls: to Egnyte, so far
    """

    calls: int

    def open_directory(self, path: Path) -> Listing:
        """Return a directory as it is now, after creating it where it is missing."""

    def store(self, path: Path, content: Content) -> Entry:
        """Store a file. Raises NameTaken if the name is taken."""

    def url(self, file: Entry) -> str:
        """Return the public URL of a file."""


class Stopped(Exception):
    """The import stopped within the day's calls or the budget. Run again to go on.

    :param retry_after: seconds until that makes sense; None for at once
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LeftReference(NamedTuple):
    """A reference that is left as it is."""

    url: str
    reason: Left


@dataclass(frozen=True)
class Plan:
    """Needs of a document.

    :param sources: of its assets, by the URLs in it
    :param left: references that stay
    """

    sources: dict[str, str]
    left: tuple[LeftReference, ...]


def plan(document: Document, policy: Policy, directory: FilePath | None = None) -> Plan:
    """Return what *document* needs. Raises DocumentError.

    :param directory: of the document, for relative references
    """
    sources: dict[str, str] = {}
    left: dict[LeftReference, None] = {}
    for reference in document.references:
        match policy.judge(reference, directory):
            case None:
                pass
            case Left() as reason:
                left[LeftReference(reference.url, reason)] = None
            case source:
                sources[reference.url] = source
    return Plan(sources, tuple(left))


@dataclass(frozen=True)
class ImportedDocument:
    """A document with its new URLs.

    :param document: as it is now
    :param assets: in it
    :param left: references that stay
    """

    document: Document
    assets: tuple[Asset, ...]
    left: tuple[LeftReference, ...]


class Importer:
    """Import into one directory.

    :param into: the directory, as the File Manager shows it; created where it is missing
    :param budget: calls to Egnyte; no asset is begun when they are used up. None for as many as it takes
    :param opener: opens sources that are no URLs
    :param on_asset: is called for each asset, stored now or before, or failed
    """

    def __init__(
        self,
        destination: Destination,
        state: State,
        rules: Rules,
        into: Path,
        *,
        policy: Policy | None = None,
        budget: int | None = None,
        opener: Opener = open_file,
        on_asset: Callable[[Asset], None] = lambda _asset: None,
    ) -> None:
        self._destination, self._state, self._rules, self._into = destination, state, rules, into
        self._policy, self._budget = policy or Policy(), budget
        self._opener, self._on_asset = opener, on_asset
        # Directories as they are with our files.
        self._listings: dict[Path, Listing] = {}

    def import_documents(self, documents: Iterable[Document]) -> Iterator[ImportedDocument]:
        """Yield each document when its assets are stored. Raises what :meth:`import_document` raises."""
        for document in documents:
            yield self.import_document(document)

    def import_document(self, document: Document, directory: FilePath | None = None) -> ImportedDocument:
        """Store the assets of a document, and return it with their new URLs. URLs of failed assets stay.

        :param directory: of the document, for relative references

        Raises DocumentError, Stopped, StateError, and FSPError for what concerns all assets.
        """
        needed = plan(document, self._policy, directory)
        assets = {source: self.import_asset(source) for source in dict.fromkeys(needed.sources.values())}

        def new(url: str) -> str | None:
            source = needed.sources.get(url)
            return (assets[source].url or None) if source else None

        written = replace(document, data=document.rewritten(new))
        return ImportedDocument(written, tuple(assets.values()), needed.left)

    def import_asset(self, source: str, below: Path = ()) -> Asset:
        """Store an asset, unless that was done. Failures that concern this one alone are in the result.

        :param below: directories below that of the import

        Raises Stopped, StateError, and FSPError for what concerns all assets.
        """
        directory = (*self._into, *below)
        known = self._state.get(source, paths.text(directory, directory=True))
        asset = known if known is not None and known.is_done else self._import(source, directory, known)
        self._on_asset(asset)
        return asset

    def _import(self, source: str, directory: Path, known: Asset | None) -> Asset:
        text = paths.text(directory, directory=True)
        # An upload that was begun before stays known by its path, in case Egnyte has it.
        failed = (known or Asset(source, text, 'failed'))._replace(status='failed', url='')
        if self._budget is not None and self._destination.calls >= self._budget:
            raise Stopped('The budget is used up.')
        try:
            with fetch(source, self._rules, self._opener) as fetched:
                asset = self._store(Asset(source, text, 'storing'), directory, fetched, known)
        except SourceError as error:
            asset = failed._replace(reason=_reason(error))
        except _OF_ASSET as error:
            asset = failed._replace(reason=str(error))
        except errors.FSPError as error:
            if error.retry_after is None:
                raise
            raise Stopped(f'{error.title}: {error}', error.retry_after) from error
        self._state.put(asset)
        return asset

    def _store(self, asset: Asset, directory: Path, fetched: Fetched, known: Asset | None) -> Asset:
        """Store a content under a free name, unless a file in the directory has it already."""
        sha512, size = fetched.content.sha512, fetched.content.size
        asset = asset._replace(sha512=sha512, size=size)
        if same := self._state.by_content(asset.directory, sha512):
            return asset._replace(status='present', path=same.path, url=same.url)
        for _ in range(_ROUNDS):
            listing = self._listing(directory)
            if found := _same_content(listing, sha512, size, known):
                return self._done(asset, 'present', found)
            name = fetched.name if listing.find(fetched.name) is None else free_name(listing, fetched.name)
            path = (*directory, name)
            known = asset._replace(path=paths.text(path))
            # Written before the upload, so that its file is known if this process dies before the next record.
            self._state.put(known)
            fetched.content.file.seek(0)
            try:
                stored = self._destination.store(path, fetched.content)
            except errors.NameTaken:
                known = None  # it is another user's
                del self._listings[directory]
                continue
            self._listings[directory] = Listing(
                listing.entry, tuple(sorted((*listing.items, stored), key=lambda item: item.order))
            )
            return self._done(asset, 'moved', stored)
        raise errors.NameTaken(f'Other users took the name "{fetched.name}" again and again.')

    def _listing(self, directory: Path) -> Listing:
        if directory not in self._listings:
            self._listings[directory] = self._destination.open_directory(directory)
        return self._listings[directory]

    def _done(self, asset: Asset, status: str, file: Entry) -> Asset:
        return asset._replace(status=status, path=paths.text(file.path), url=self._destination.url(file))


def _same_content(listing: Listing, sha512: str, size: int, known: Asset | None) -> Entry | None:
    """Return the file with that content.

    Egnyte gives no SHA-512 of a file that was uploaded in chunks: it is ours if an earlier run began to store one of
    that name and size.
    """
    for file in listing.items:
        if file.is_directory:
            continue
        if file.checksum == sha512:
            return file
        unfinished = known is not None and (known.path, known.sha512) == (paths.text(file.path), sha512)
        if unfinished and not _SHA512.fullmatch(file.checksum or '') and file.size == size:
            return file
    return None


def _reason(error: SourceError) -> str:
    return str(error) if error.reason == str(error) else f'{error} ({error.reason})'
