"""Sequences of operations, through HTTP, against a model of the protocol."""

import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from fsp_pyramid import main
from fsp_pyramid.paths import (
    Path,
    fold,
    key,
    text,
)

from ..conftest import Source
from .beefree import PNG, Beefree, outcome

# Few names, so that they meet: spellings of one, a numbered one, an odd one, and one of Beefree's own directories.
names = st.sampled_from(['a', 'A', 'a_1', 'ä+&#% x', 'editor_images'])
strategies = st.sampled_from(['keep', 'replace', 'ask', '', None])
IMPLIED = (('editor_images',), ('favicon_images',))


class Files(RuleBasedStateMachine):
    """The model is ``{key of the path: (path, content)}``, with None for a directory's content."""

    source: Source

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[Path, tuple[Path, bytes | None]] = {(): ((), None)}
        self.uploads = 0
        self._directory = tempfile.TemporaryDirectory()
        self.restart()

    def teardown(self) -> None:
        self._directory.cleanup()

    # The model

    def is_directory(self, path: Path) -> bool:
        return key(path) in self.model and self.model[key(path)][1] is None

    def is_file(self, path: Path) -> bool:
        return key(path) in self.model and self.model[key(path)][1] is not None

    def stored(self, path: Path) -> Path:
        """Return the path in the stored spelling, as far as it is stored."""
        return self.model[key(path)][0] if key(path) in self.model else (*self.stored(path[:-1]), path[-1])

    def directories(self) -> list[Path]:
        return [path for path, content in self.model.values() if content is None]

    def children(self, path: Path) -> list[Path]:
        return [found for found, _ in self.model.values() if found and key(found[:-1]) == key(path)]

    def put(self, path: Path, content: bytes | None) -> None:
        self.model[key(path)] = self.stored(path), content

    def free(self, path: Path) -> Path:
        number = 1
        while key((*path[:-1], f'{path[-1]}_{number}')) in self.model:
            number += 1
        return (*path[:-1], f'{path[-1]}_{number}')

    def any_path(self, data: Any) -> Path:
        """Return a path that exists, or one that may."""
        return (*data.draw(st.sampled_from(self.directories())), data.draw(names))

    # The operations

    @rule()
    def restart(self) -> None:
        """Continue in another process, with empty caches."""
        self.client = Beefree(
            main(
                {},
                **{
                    'fsp.username': 'beefree',
                    'fsp.password': 'secret-password',
                    'fsp.egnyte.url': f'sandbox:{self._directory.name}',
                    'fsp.sources.allow': '127.0.0.1',
                },
            )
        )

    @rule(data=st.data())
    def create(self, data: Any) -> None:
        path = self.any_path(data)
        answer = self.client.create(text(path, directory=True))
        if key(path) in self.model:
            assert outcome(answer) == (403, 3400)
        else:
            assert outcome(answer) == (201, None)
            self.put(path, None)

    @rule(data=st.data(), strategy=strategies)
    def upload(self, data: Any, strategy: str | None) -> None:
        path = self.any_path(data)
        self.uploads += 1
        content = PNG + str(self.uploads).encode()
        answer = self.client.upload(text(path), self.source.offer(content), strategy)
        if key(path) in self.model and strategy == 'keep':
            path = self.free(path)
        elif self.is_directory(path):
            assert outcome(answer) == (409, 3401)
            return
        elif self.is_file(path) and strategy == 'ask':
            assert outcome(answer) == (409, 3400)
            return
        assert outcome(answer) == (201, None)
        assert answer.json['data']['meta']['path'] == text(self.stored(path))
        self.put(path, content)

    @rule(data=st.data())
    def upload_into_an_implied_directory(self, data: Any) -> None:
        directory = data.draw(st.sampled_from(IMPLIED))
        if self.is_file(directory):
            return
        answer = self.client.upload(text((*directory, 'a')), self.source.offer(PNG), 'keep')
        assert outcome(answer) == (201, None)
        self.put(directory, None)
        path = (*directory, 'a')
        self.put(self.free(path) if key(path) in self.model else path, PNG)

    @rule(data=st.data())
    def delete_directory(self, data: Any) -> None:
        path = self.any_path(data)
        answer = self.client.delete(text(path, directory=True))
        if not self.is_directory(path):
            assert outcome(answer) == (404, 3200)
        elif self.children(path):
            assert outcome(answer) == (403, 3908)
        else:
            assert outcome(answer) == (200, None)
            del self.model[key(path)]

    @rule(data=st.data())
    def delete_file(self, data: Any) -> None:
        path = self.any_path(data)
        answer = self.client.delete(text(path))
        if self.is_file(path):
            assert outcome(answer) == (200, None)
            del self.model[key(path)]
        else:
            assert outcome(answer) == (404, 3200)

    @precondition(lambda self: any(content is not None for _, content in self.model.values()))
    @rule(data=st.data(), strategy=strategies)
    def move(self, data: Any, strategy: str | None) -> None:
        files = [path for path, content in self.model.values() if content is not None]
        path, directory = data.draw(st.sampled_from(files)), self.any_path(data)[:-1]
        target = (*directory, path[-1])
        answer = self.client.move(text(path), text(directory, directory=True), strategy)
        if key(target) == key(path):
            assert outcome(answer) == (200, None)
            return
        if key(target) in self.model and strategy == 'keep':
            target = self.free(target)
        elif self.is_directory(target):
            assert outcome(answer) == (409, 3401)
            return
        elif self.is_file(target) and strategy != 'replace':
            assert outcome(answer) == (409, 3400)
            return
        assert outcome(answer) == (200, None)
        content = self.model.pop(key(path))[1]
        spelling = self.stored(target)
        assert answer.json['data']['meta']['path'] == text(spelling)
        self.model[key(target)] = spelling, content

    @invariant()
    def every_listing_is_the_models(self) -> None:
        for path in self.directories():
            self.compare_listing(path)

    def compare_listing(self, path: Path) -> None:
        items = self.client.get(text(path, directory=True)).json['data']['items']
        expected = sorted(self.children(path), key=lambda child: (self.is_file(child), fold(child[-1]), child[-1]))
        assert [item['path'] for item in items] == [text(c, directory=self.is_directory(c)) for c in expected]
        for item, child in zip(items, expected, strict=True):
            wanted = self.model[key(child)][1]
            assert item['size'] == len(wanted or b'')

    @rule(data=st.data())
    def read(self, data: Any) -> None:
        path = self.any_path(data)
        answer = self.client.get(text(path))
        if self.is_file(path):
            assert self.client.public(answer.json['data']['meta']['public-url']).body == self.model[key(path)][1]
        else:
            assert outcome(answer) == (404, 3200)


def test_sequences_of_operations_match_the_model(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    monkeypatch.setattr(Files, 'source', source, raising=False)
    run_state_machine_as_test(
        Files,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
        ),
    )
