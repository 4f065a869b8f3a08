"""A user who changes files at random, and records acknowledged changes."""

import random
from typing import NamedTuple

from benchmarks.client import Answer

from .world import (
    HOME,
    Client,
    Egnyte,
    content_of,
)

DONE = {200, 201}
DIRECTORIES, NAMES = ('/', '/d0/', '/d1/'), ('a.png', 'b.png', 'c.png')
Tree = dict[str, bytes | None]
"""Contents of files by path, None for folders; paths begin with a slash and end without one."""


class Change(NamedTuple):
    """An operation: what it does to the tree if it succeeds."""

    operation: str
    arguments: tuple[str, ...]
    removed: tuple[str, ...]
    added: Tree


class Walker:
    """A user with a folder of its own, whose only writer it is.

    After an answer that did not come, :meth:`settle` has to look before the next step.
    """

    def __init__(self, client: Client, egnyte: Egnyte, uid: str, seed: int) -> None:
        self.client, self._egnyte, self._uid = client, egnyte, uid
        self._random = random.Random(f'{uid} {seed}')
        self.tree: Tree = {}
        self.urls: dict[str, str] = {}
        self.in_doubt: Change | None = None
        self._uploads = 0

    def step(self) -> Answer:
        """Do something that has to succeed."""
        change = self._random.choice(self._possible())
        answer = getattr(self.client, change.operation)(*change.arguments)
        if answer.status_int in DONE:
            self._apply(change)
            self._note_url(change, answer)
        elif answer.status_int == 0:
            self.in_doubt = change
        return answer

    def _possible(self) -> list[Change]:
        found = [
            self._upload(directory + name) for directory in DIRECTORIES for name in NAMES if self._is_there(directory)
        ]
        found += [
            Change('create', (directory,), (), {directory.rstrip('/'): None})
            for directory in DIRECTORIES[1:]
            if not self._is_there(directory)
        ]
        for path, content in self.tree.items():
            if content is None and not any(other.startswith(f'{path}/') for other in self.tree):
                found.append(Change('delete', (f'{path}/',), (path,), {}))
            elif content is not None:
                found.append(Change('delete', (path,), (path,), {}))
                found += [
                    self._move(path, content, directory) for directory in DIRECTORIES if self._is_there(directory)
                ]
        return found

    def _is_there(self, directory: str) -> bool:
        return directory == '/' or directory.rstrip('/') in self.tree

    def _upload(self, path: str) -> Change:
        self._uploads += 1
        name = f'{self._uid}-{self._uploads}'
        return Change('upload', (path, name), (), {path: content_of(name)})

    def _move(self, path: str, content: bytes, directory: str) -> Change:
        return Change('move', (path, directory), (path,), {directory + path.rpartition('/')[2]: content})

    def _apply(self, change: Change) -> None:
        for path in change.removed:
            self.tree.pop(path)
        self.tree |= change.added

    def _note_url(self, change: Change, answer: Answer) -> None:
        for path in change.removed:
            self.urls.pop(path, None)
        if change.operation in {'upload', 'move'}:
            (path,) = change.added
            self.urls[path] = answer.data['meta']['public-url']

    def settle(self) -> list[str]:
        """Compare with what Egnyte stores, and begin anew from there. Return what is wrong, a line each."""
        stored = {
            path.removeprefix(f'{HOME}/{self._uid}'): content for path, content in self._egnyte.tree(self.home).items()
        }
        before, change = dict(self.tree), self.in_doubt
        if change is not None:
            self._apply(change)
        if stored not in (before, self.tree):
            paths = [path for path in {**stored, **self.tree} if stored.get(path, 0) != self.tree.get(path, 0)]
            wrong = [
                f'{self._uid}{path}: {_described(stored, path)}, not {_described(self.tree, path)}'
                for path in sorted(paths)
            ]
        else:
            wrong = []
        if change is not None:
            # The answer was lost, so the files at these paths are unknown.
            for path in (*change.removed, *change.added):
                if change.operation != 'upload':
                    self.urls.pop(path, None)
        self.tree, self.in_doubt = stored, None
        self.urls = {path: url for path, url in self.urls.items() if path in stored}
        return wrong

    @property
    def home(self) -> str:
        """The folder at Egnyte."""
        return f'{HOME}/{self._uid}'


def _described(tree: Tree, path: str) -> str:
    if path not in tree:
        return 'nothing'
    content = tree[path]
    return 'a folder' if content is None else f'{len(content)} bytes ({hash(content) & 0xFFFF:04x})'
