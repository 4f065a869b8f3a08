"""The tree does what a plain dictionary would do, whatever the order of calls."""

from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from urllib.parse import quote

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fsp_pyramid.sandbox import make_app

from .api import Api

TOP = '/Shared/top'
Key = tuple[str, ...]

names = st.sampled_from(['a', 'Bb.txt', 'ü x', 'c+d&e%2F', '#1'])
paths = st.lists(st.tuples(names, st.booleans()), min_size=1, max_size=3).map(
    # The same name in another case is the same name.
    lambda parts: tuple(name.swapcase() if swapped else name for name, swapped in parts)
)
contents = st.binary(min_size=1, max_size=9)


@dataclass
class File:
    """A file of the model: its contents, the oldest first, with the ids of the versions."""

    group_id: str
    versions: list[tuple[str, bytes]]


def key(path: Key) -> Key:
    return tuple(name.casefold() for name in path)


class Tree(RuleBasedStateMachine):
    """Every call has the outcome that the model foretells, and leaves the tree that the model has."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.api = Api(make_app(self.directory.name))
        self.api.mkdir(TOP)
        self.model: dict[Key, File | None] = {(): None}  # None: a folder
        self.trash: list[tuple[str, Key, dict[Key, File | None]]] = []

    def teardown(self) -> None:
        self.directory.cleanup()

    # What the model says

    def url(self, path: Key) -> str:
        return '/'.join((TOP, *path))

    def blocked(self, path: Key) -> bool:
        """Return whether a file stands in the way to *path*."""
        return any(self.model.get(key(path[:size])) for size in range(1, len(path)))

    def add(self, path: Key, item: File | None) -> None:
        for size in range(1, len(path)):
            self.model.setdefault(key(path[:size]), None)
        self.model[key(path)] = item

    def subtree(self, path: Key) -> dict[Key, File | None]:
        """Return the items at *path* and below it, by the rest of the path."""
        size = len(path)
        return {found[size:]: item for found, item in self.model.items() if found[:size] == key(path)}

    def take(self, path: Key) -> dict[Key, File | None]:
        taken = self.subtree(path)
        for rest in taken:
            del self.model[key(path) + rest]
        return taken

    def put(self, path: Key, items: dict[Key, File | None], change: Callable[[Key, File], File] | None = None) -> None:
        for rest, item in items.items():
            self.add((*path, *rest), change(rest, item) if change and item else item)

    # What may happen

    @rule(path=paths)
    def make_folder(self, path: Key) -> None:
        refused = key(path) in self.model or self.blocked(path)
        self.api.mkdir(self.url(path), status=403 if refused else 201)
        if not refused:
            self.add(path, None)

    @rule(path=paths, content=contents)
    def upload(self, path: Key, content: bytes) -> None:
        old = self.model.get(key(path))
        refused = self.blocked(path) or (key(path) in self.model and old is None)
        stored = self.api.upload(self.url(path), content, status=403 if refused else 200)
        if refused:
            return
        if old:
            assert stored['group_id'] == old.group_id
            old.versions.append((stored['entry_id'], content))
        else:
            self.add(path, File(stored['group_id'], [(stored['entry_id'], content)]))

    def relocate(self, action: str, source: Key, destination: Key) -> bool:
        """Call move or copy; True if it happened."""
        renamed = action == 'move' and key(source) == key(destination)
        if key(source) not in self.model:
            status = 404
        elif renamed:
            spelt = self.api.fs(self.url(source), {'list_content': 'false'})['name']
            status = 200 if spelt != destination[-1] else 403
        else:
            is_inside = key(destination)[: len(source)] == key(source)
            status = 403 if is_inside or key(destination) in self.model or self.blocked(destination) else 200
        self.api.act(self.url(source), action, destination=self.url(destination), status=status)
        return status == 200

    @rule(source=paths, destination=paths)
    def move(self, source: Key, destination: Key) -> None:
        if self.relocate('move', source, destination):
            self.put(destination, self.take(source))

    @rule(source=paths, destination=paths)
    def copy(self, source: Key, destination: Key) -> None:
        if self.relocate('copy', source, destination):
            self.put(destination, self.subtree(source), lambda rest, file: self.copied((*destination, *rest), file))

    def copied(self, path: Key, file: File) -> File:
        found = self.api.fs(self.url(path))
        assert found['group_id'] != file.group_id
        return File(found['group_id'], [(found['entry_id'], file.versions[-1][1])])

    @rule(path=paths)
    def delete(self, path: Key) -> None:
        exists = key(path) in self.model
        self.api.delete(f'fs{quote(self.url(path))}', status=200 if exists else 404)
        if exists:
            self.remember_trashed(path)

    def remember_trashed(self, path: Key) -> None:
        known = {item_id for item_id, _, _ in self.trash}
        items = self.api.get('fs/trash', {'count': 1000}).json['items']
        (new,) = [item['id'] for item in items if item['id'] not in known]
        self.trash.append((new, path, self.take(path)))

    @precondition(lambda self: self.trash)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.trash))
        item_id, path, items = item
        refused = key(path) in self.model or self.blocked(path)
        self.api.post('fs/trash', {'action': 'RESTORE', 'ids': [item_id]}, status=207 if refused else 200)
        if not refused:
            self.put(path, items)
            self.trash.remove(item)

    @precondition(lambda self: self.trash)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.trash))
        self.api.post('fs/trash', {'action': 'PURGE', 'ids': [item[0]]})
        self.trash.remove(item)

    @precondition(lambda self: any(self.model.values()))
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(path for path, item in self.model.items() if item)))
        file = self.model[path]
        version = data.draw(st.sampled_from(file.versions))
        self.api.delete(f'fs/ids/file/{file.group_id}?entry_id={version[0]}')
        if len(file.versions) > 1:
            file.versions.remove(version)
        else:
            self.remember_trashed(path)

    @invariant()
    def the_tree_is_the_model(self) -> None:
        found: dict[Key, File | None] = {}
        self.collect((), found)
        assert found == self.model

    def collect(self, path: Key, found: dict[Key, File | None]) -> None:
        listing = self.api.fs(self.url(path))
        found[key(path)] = None
        assert listing['total_count'] == len(listing['folders']) + len(listing['files'])
        for folder in listing['folders']:
            self.collect((*path, folder['name']), found)
        for file in listing['files']:
            url = f'fs-content/ids/file/{file["group_id"]}'
            ids = [one['entry_id'] for one in self.api.fs(file['path']).get('versions', [])] + [file['entry_id']]
            versions = [(entry_id, self.api.get(url, {'entry_id': entry_id}).body) for entry_id in ids]
            found[(*key(path), file['name'].casefold())] = File(file['group_id'], versions)


Tree.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestTree = Tree.TestCase
