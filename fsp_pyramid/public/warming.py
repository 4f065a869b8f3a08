"""Warming: fetch contents and make thumbnails ahead of requests, within a budget of calls."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pyramid.registry import Registry

from ..clients import find_client
from ..content.links import Link
from ..egnyte import CallInfo, Priority
from ..errors import NotFound
from ..imaging.contract import TYPES
from ..interfaces import IPublic
from ..model import Entry, Identity
from ..paths import Path
from ..storage.factory import CallListener
from ..storage.undo import UndoLog
from .origin import RequestOrigin, background_request


@dataclass(slots=True)
class Progress:
    """Progress of a walk.

    :param files: found so far, in the directories that were listed
    :param done: of them, those that are in the cache with their thumbnails
    :param added: of those, the files that this walk fetched or rendered
    :param calls: to Egnyte
    """

    files: int = 0
    done: int = 0
    added: int = 0
    calls: int = 0


class Warmer:
    """One walk through a directory and all below it, as a user of a client sees them.

    A file that is in the cache costs nothing but the listing of its directory (a call for each 1,000 files), so that
    another walk continues one that was broken off.

    :param mount: the name of the mount
    :param budget: calls to Egnyte; no file is begun when they are used up
    """

    def __init__(self, registry: Registry, mount: str, identity: Identity, budget: int) -> None:
        self._registry, self._identity, self.budget = registry, identity, budget
        self._content = registry.getUtility(IPublic).content_service
        self._backend = find_client(registry, mount, identity.client)
        self.progress = Progress()

    def is_spent(self) -> bool:
        """Return whether the budget is used up."""
        return self.progress.calls >= self.budget

    def walk(self, top: Path) -> Iterator[Progress]:
        """Go through *top*, and yield the progress after each step, until the end or the end of the budget.

        Raises NotFound for a directory that does not exist, and the errors of accounts and Egnyte.
        """
        directories = [top]
        while directories and not self.is_spent():
            account, items = self._list(directories.pop(0))
            directories += [item.path for item in items if item.is_directory]
            # Pictures first: the file manager shows their thumbnails.
            files = self._pictures_first([item for item in items if not item.is_directory])
            self.progress.files += len(files)
            yield self.progress
            for file in files:
                if self.is_spent():
                    return
                origin = RequestOrigin(self._registry, Link(account, file.id or ''), on_call=self._count)
                with suppress(NotFound):  # deleted meanwhile, or hidden by Egnyte: the other files follow
                    self.progress.added += self._content.warm(origin, file)
                    self.progress.done += 1
                yield self.progress

    def _list(self, path: Path) -> tuple[str, tuple[Entry, ...]]:
        with background_request(self._registry) as request:
            account = self._backend.accounts.of(self._identity, request)
            listener = CallListener(self._count)
            operations = self._backend.operations(self._identity, account, UndoLog(), listener, Priority.BACKGROUND)
            return account.key, operations.list_directory(path).items

    def _pictures_first(self, files: list[Entry]) -> list[Entry]:
        types = dict(zip(files, self._content.types(files), strict=True))
        return sorted(files, key=lambda file: types[file] not in TYPES)

    def _count(self, _call: CallInfo) -> None:
        self.progress.calls += 1
