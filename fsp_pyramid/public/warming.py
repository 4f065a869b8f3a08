"""Fetches contents and makes thumbnails before anybody asks for them, within a budget of calls."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..clients import ClientBackend
from ..content.links import Link
from ..egnyte import CallInfo, Priority
from ..errors import NotFound
from ..imaging.render import TYPES
from ..interfaces import IMount
from ..model import Entry, Identity
from ..paths import Path
from ..storage.factory import CallListener
from ..storage.undo import UndoLog
from .origin import Origin, own_request


@dataclass(slots=True)
class Progress:
    """How far it has come.

    :param files: that were seen so far, in the directories that were listed
    :param done: of them, those that are here
    :param brought: of those, what was fetched or drawn now
    :param calls: to Egnyte
    """

    files: int = 0
    done: int = 0
    brought: int = 0
    calls: int = 0


class Warmer:
    """One walk through a directory and all below it, as a user of a client sees them.

    What is here already costs nothing but the listing of its directory (a call for each 1,000 files), so that a walk
    which was broken off is continued by another one.

    :param mount: the name of the mount
    :param budget: calls to Egnyte; none begins when they are used up
    """

    def __init__(self, registry: Any, mount: str, identity: Identity, budget: int) -> None:
        self._registry, self._identity, self.budget = registry, identity, budget
        place = registry.getUtility(IMount, name=mount)
        self._desk, self._backend = place.public.content_service, place.client_backends[identity.client]
        self.progress = Progress()

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.progress.calls >= self.budget

    def walk(self, top: Path) -> Iterator[Progress]:
        """Go through *top*, and tell after each step. It ends early where the budget does.

        Raises NotFound for a directory that is none, and what accounts and Egnyte may raise.
        """
        directories = [top]
        while directories and not self.spent:
            account, items = self._list(directories.pop(0))
            directories += [item.path for item in items if item.is_directory]
            # Pictures first: it is they that somebody will look at.
            files = self._pictures_first([item for item in items if not item.is_directory])
            self.progress.files += len(files)
            yield self.progress
            for file in files:
                if self.spent:
                    return
                origin = Origin(self._registry, Link(account, file.id or ''), self._count)
                with suppress(NotFound):  # somebody deleted it, or Egnyte does not show it: the others are to come
                    self.progress.brought += self._desk.warm(origin, file)
                    self.progress.done += 1
                yield self.progress

    def _list(self, path: Path) -> tuple[str, tuple[Entry, ...]]:
        backend: ClientBackend = self._backend
        with own_request(self._registry) as request:
            account = backend.accounts.of(self._identity, request)
            listener = CallListener(self._count)
            operations = backend.operations(self._identity, account, UndoLog(), listener, Priority.BACKGROUND)
            return account.key, operations.list_directory(path).items

    def _pictures_first(self, files: list[Entry]) -> list[Entry]:
        pictures = [type_ in TYPES for type_ in self._desk.types(files)]
        return [file for wanted in (True, False) for file, is_ in zip(files, pictures, strict=True) if is_ is wanted]

    def _count(self, _called: CallInfo) -> None:
        self.progress.calls += 1
