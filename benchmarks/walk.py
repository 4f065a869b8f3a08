"""Random walk of a user through the File Manager, repeatable by its seed."""

import random
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from .client import Answer, Beefree, Connection


class Step(NamedTuple):
    """One operation: its path and its result."""

    operation: str
    directory: str
    answer: Answer


class Walk:
    """Chooses operations by *weights* and does them.

    :param user: whose files they are; the walk knows the directories that it has listed
    :param reader: opens pictures by their public URLs, as a browser does
    :param source: the URL of a picture to upload
    :param weights: how often each method below is chosen
    """

    def __init__(self, user: Beefree, reader: Connection, source: str, weights: Mapping[str, int], seed: int) -> None:
        self._user, self._reader, self._source, self._weights = user, reader, source, weights
        self._random, self._made = random.Random(seed), 0
        # Directories, and in each the files with their public URLs, as far as the user has seen them.
        self.tree: dict[str, dict[str, str]] = {'/': {}}

    def step(self) -> Step:
        """Return the next operation. Where it needs a file and none is known, a directory is listed instead."""
        (operation,) = self._random.choices(list(self._weights), list(self._weights.values()))
        directory = self._random.choice(sorted(self.tree))
        if operation in {'open', 'replace', 'move', 'delete'} and not self.tree[directory]:
            operation = 'list'
        return Step(operation, directory, getattr(self, operation)(directory))

    def list(self, directory: str) -> Answer:
        """Look into a directory."""
        answer = self._user.get(directory)
        if answer.status_int == 200:
            items = answer.data['items']
            self.tree[directory] = {item['name']: item['public-url'] for item in items if 'public-url' in item}
            for item in items:
                if item['path'].endswith('/'):
                    self.tree.setdefault(item['path'], {})
        return answer

    def open(self, directory: str) -> Answer:
        """Look at a picture."""
        url = self.tree[directory][self._some_file(directory)]
        return self._reader.send('GET', urlsplit(url).path)

    def upload(self, directory: str) -> Answer:
        """Upload a picture under a new name."""
        return self._put(directory, self._new_name('png'))

    def replace(self, directory: str) -> Answer:
        """Upload a picture in place of another."""
        return self._put(directory, self._some_file(directory))

    def create(self, directory: str) -> Answer:
        """Create a directory."""
        path = f'{directory}{self._new_name("d")}/'
        answer = self._user.create(path)
        if answer.status_int == 201:
            self.tree[path] = {}
        return answer

    def move(self, directory: str) -> Answer:
        """Move a picture into another directory, or where it is."""
        name, target = self._some_file(directory), self._random.choice(sorted(self.tree))
        answer = self._user.move(f'{directory}{name}', target, 'keep')
        if answer.status_int == 200:
            del self.tree[directory][name]
            self._know(target, answer)
        return answer

    def delete(self, directory: str) -> Answer:
        """Delete a picture."""
        name = self._some_file(directory)
        answer = self._user.delete(f'{directory}{name}')
        if answer.status_int == 200:
            del self.tree[directory][name]
        return answer

    def _put(self, directory: str, name: str) -> Answer:
        answer = self._user.upload(f'{directory}{name}', self._source)
        if answer.status_int == 201:
            self._know(directory, answer)
        return answer

    def _know(self, directory: str, answer: Answer) -> None:
        meta = answer.data['meta']
        self.tree[directory][meta['name']] = meta['public-url']

    def _some_file(self, directory: str) -> str:
        return self._random.choice(sorted(self.tree[directory]))

    def _new_name(self, ending: str) -> str:
        self._made += 1
        return f'new {self._made}.{ending}'
