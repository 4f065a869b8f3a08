"""A user who changes files at random, and records acknowledged changes."""

import os
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.client import Answer

from .world import (
    HOME,
    Client,
    Egnyte,
    content_of,
)

DONE = {200, 201}
# Beefree uploads into the last one without creating it.
DIRECTORIES, NAMES = ('/', '/d0/', '/d1/', '/editor_images/'), ('a.png', 'b.png', 'c.png')
IMPLIED = DIRECTORIES[-1]
# Links of deleted files that are remembered.
REMEMBERED = 5
Tree = dict[str, bytes | None]
"""Contents of files by path, None for folders; paths begin with a slash and end without one."""


class Change(NamedTuple):
    """An operation: what it does to the tree if it succeeds. The last path of *added* is that of a file, if any."""

    operation: str
    arguments: tuple[str, ...]
    removed: tuple[str, ...]
    added: Tree

    @property
    def keeps(self) -> bool:
        """Return whether the file gets another name if its own is taken."""
        return self.arguments[-1] == 'keep'

    def applied(self, tree: Tree, path: str = '') -> Tree:
        """Return the tree afterwards; *path* is that of the file, if the service chose another one."""
        added = dict(self.added)
        if path:
            added[path] = added.pop([*added][-1])
        return {at: content for at, content in tree.items() if at not in self.removed} | added

    def outcomes(self, tree: Tree, stored: Tree) -> Iterator[Tree]:
        """Iterate over the trees that an interrupted change may leave. All files of *tree* are in each of them.

        :param stored: only names that are in it are tried as those that the service chooses
        """
        yield tree
        if not self.added:
            yield self.applied(tree)
            return
        target, content = [*self.added.items()][-1]
        chosen = [path for path in stored if path not in tree and _is_beside(target, path)]
        if self.keeps and target in tree:
            yield from (self.applied(tree, path) for path in chosen)
            return
        yield self.applied(tree)
        if self.keeps:  # an unguessable name, if the lock was lost
            yield from (self.applied(tree, path) for path in chosen)
        if len(self.added) > 1:  # the directory was created, and the file was not stored yet
            yield tree | dict.fromkeys([*self.added][:-1])
        if self.operation == 'move' and target in tree:  # the replaced file is moved aside before it is deleted
            for aside in chosen:
                renamed = {path: each for path, each in tree.items() if path != target} | {aside: tree[target]}
                yield renamed
                yield {path: each for path, each in renamed.items() if path not in self.removed} | {target: content}


def _is_beside(path: str, other: str) -> bool:
    stem, extension = os.path.splitext(path)
    return bool(re.fullmatch(rf'{re.escape(stem)}_[0-9a-f]+{re.escape(extension)}', other))


class Walker:
    """A user with a folder of its own, whose only writer it is.

    After an answer that did not come, :meth:`settle` has to look before the next step.

    :ivar urls: public URLs by path
    :ivar gone: public URLs of files that were deleted or replaced by a move
    """

    def __init__(self, client: Client, egnyte: Egnyte, uid: str, seed: int) -> None:
        self.client, self._egnyte, self._uid = client, egnyte, uid
        self._random = random.Random(f'{uid} {seed}')
        self.tree: Tree = {}
        self.urls: dict[str, str] = {}
        self.gone: list[str] = []
        self.in_doubt: Change | None = None
        self._uploads, self._wrong = 0, list[str]()

    def step(self) -> Answer:
        """Do something that has to succeed."""
        operations: dict[str, list[Change]] = {}
        for change in self._possible():
            operations.setdefault(change.operation, []).append(change)
        change = self._random.choice(operations[self._random.choice([*operations])])
        answer = getattr(self.client, change.operation)(*change.arguments)
        if answer.status_int in DONE:
            self._note(change, answer)
        elif answer.status_int == 0:
            self.in_doubt = change
        return answer

    def _possible(self) -> list[Change]:
        found = []
        for directory in DIRECTORIES:
            if self._is_there(directory) or directory == IMPLIED:
                found += [self._upload(directory, name, strategy) for name in NAMES for strategy in ('replace', 'keep')]
            if not self._is_there(directory):
                found.append(Change('create', (directory,), (), {directory.rstrip('/'): None}))
        for path, content in self.tree.items():
            if content is not None:
                found.append(Change('delete', (path,), (path,), {}))
                found += [
                    self._move(path, content, directory, strategy)
                    for directory in DIRECTORIES
                    if self._is_there(directory) and directory != path[: path.rindex('/') + 1]
                    for strategy in ('replace', 'keep')
                ]
            elif not any(other.startswith(f'{path}/') for other in self.tree):
                found.append(Change('delete', (f'{path}/',), (path,), {}))
        return found

    def _is_there(self, directory: str) -> bool:
        return directory == '/' or directory.rstrip('/') in self.tree

    def _upload(self, directory: str, name: str, strategy: str) -> Change:
        self._uploads += 1
        path, source = directory + name, f'{self._uid}-{self._uploads}'
        missing: Tree = {} if self._is_there(directory) else {directory.rstrip('/'): None}
        return Change('upload', (path, source, strategy), (), missing | {path: content_of(source)})

    def _move(self, path: str, content: bytes, directory: str, strategy: str) -> Change:
        added: Tree = {directory + path.rpartition('/')[2]: content}
        return Change('move', (path, directory, strategy), (path,), added)

    def _note(self, change: Change, answer: Answer) -> None:
        """Record an acknowledged change, and the public URL of its file."""
        if change.operation == 'create':
            self.tree = change.applied(self.tree)
            return
        if change.operation == 'delete':
            self.tree = change.applied(self.tree)
            self._forget(*change.removed)
            return
        path = answer.data['meta']['path']
        if path in self.tree if change.keeps else path != [*change.added][-1]:
            self._wrong.append(f'{self._uid}: {change.operation} {change.arguments} was answered with {path}')
        moved = change.removed and self.urls.get(change.removed[0])
        if change.operation == 'move':
            self._forget(path)
            self.urls = {at: url for at, url in self.urls.items() if at not in change.removed}
        self.tree = change.applied(self.tree, path)
        self.urls[path] = moved or answer.data['meta']['public-url']

    def _forget(self, *paths: str) -> None:
        self.gone += [url for path in paths if (url := self.urls.pop(path, None))]
        del self.gone[:-REMEMBERED]

    def settle(self) -> list[str]:
        """Compare with what Egnyte stores, and begin anew from there. Return what is wrong, a line each."""
        stored = {
            path.removeprefix(f'{HOME}/{self._uid}'): content for path, content in self._egnyte.tree(self.home).items()
        }
        before, change = self.tree, self.in_doubt
        outcomes = [before] if change is None else [*change.outcomes(before, stored)]
        wrong, self._wrong = self._wrong, []
        if stored not in outcomes:
            paths = [path for path in {**stored, **before} if stored.get(path, 0) != before.get(path, 0)]
            wrong += [
                f'{self._uid}{path}: {_described(stored, path)}, not {_described(before, path)}'
                + (f', after {change.operation} {change.arguments} without an answer' if change else '')
                for path in sorted(paths)
            ]
        if change is not None and change.operation != 'upload':
            # Each content is stored once, so it shows where its file is now.
            places = {content: path for path, content in stored.items()}
            self.urls = {places.get(before[path], ''): url for path, url in self.urls.items()}
        self.urls = {path: url for path, url in self.urls.items() if path in stored}
        self.tree, self.in_doubt = stored, None
        return wrong

    def sees(self) -> bool:
        """Return whether the listings of all directories show the tree."""
        directories = ['/', *(f'{path}/' for path, content in self.tree.items() if content is None)]
        answers = [self.client.get(directory) for directory in directories]
        if any(answer.status_int not in DONE for answer in answers):
            return False
        shown = {item['path'].rstrip('/') for answer in answers for item in answer.data['items']}
        return shown == self.tree.keys()

    @property
    def home(self) -> str:
        """The folder at Egnyte."""
        return f'{HOME}/{self._uid}'


class Replacer(Walker):
    """A user who replaces one file without a pause."""

    def _possible(self) -> list[Change]:
        return [self._upload('/', NAMES[0], 'replace')]


def _described(tree: Tree, path: str) -> str:
    if path not in tree:
        return 'nothing'
    content = tree[path]
    return 'a folder' if content is None else f'{len(content)} bytes ({hash(content) & 0xFFFF:04x})'
