"""The directory: made at the first call, kept over restarts, completed after a crash."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import utime
from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api

TREE = [
    ('/Shared/Brand', None, 1_700_000_000_000),
    ('/Shared/Brand/a b.txt', b'hello', 1_700_000_060_000),
    ('/Shared/Brand/sub/deep/c.txt', b'deep', 1_700_000_120_000),
]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Yield a small seed tree; the list has an item for each time that it was asked for."""
    times: list[int] = []

    def tree() -> Iterator[tuple[str, bytes | None, int]]:
        times.append(1)
        yield from TREE

    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', tree)
    return times


def test_nothing_happens_before_the_first_call(tmp_path: Path) -> None:
    app = make_app(tmp_path / 'var' / 'egnyte', seed=True)
    assert list(tmp_path.iterdir()) == []
    assert callable(app)


def test_users_and_top_folders_exist_without_a_seed(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path))
    assert api.names('/Private') == ['alice', 'bob', 'demo']
    assert api.names('/Shared') == []
    for username in ('alice', 'bob'):
        api.by(username).upload(f'/Private/{username}/a.txt')


def test_the_seed_tree(tmp_path: Path, planted: list[int]) -> None:
    api = Api(make_app(tmp_path, seed=True))
    assert api.names('/Shared/Brand') == ['sub', 'a b.txt']
    assert api.fs('/Shared/Brand', {'list_content': 'false'})['lastModified'] == 1_700_000_000_000
    file = api.fs('/Shared/Brand/a b.txt')
    assert (file['uploaded'], file['last_modified']) == (1_700_000_060_000, 'Tue, 14 Nov 2023 22:14:20 GMT')
    assert api.content('/Shared/Brand/sub/deep/c.txt').body == b'deep'


def test_seeding_happens_once(tmp_path: Path, planted: list[int]) -> None:
    api = Api(make_app(tmp_path, seed=True))
    api.delete('fs/Shared/Brand/sub')
    again = Api(make_app(tmp_path, seed=True))
    assert again.names('/Shared/Brand') == ['a b.txt']
    assert len(planted) == 1


def test_what_is_there_is_not_overwritten_by_the_seed(tmp_path: Path, planted: list[int]) -> None:
    Api(make_app(tmp_path)).upload('/Shared/brand/A B.txt', b'mine')
    api = Api(make_app(tmp_path, seed=True))
    assert api.content('/Shared/Brand/a b.txt').body == b'mine'
    assert api.names('/Shared/Brand') == ['sub', 'A B.txt']


def test_state_survives_restarts(tmp_path: Path) -> None:
    stored = Api(make_app(tmp_path)).upload('/Shared/x/a.txt', b'hello')
    api = Api(make_app(tmp_path))
    assert api.fs('/Shared/x/a.txt')['entry_id'] == stored['entry_id']
    assert api.content('/Shared/x/a.txt').body == b'hello'


def test_applications_share_a_directory(tmp_path: Path) -> None:
    one, two = Api(make_app(tmp_path)), Api(make_app(tmp_path))
    one.mkdir('/Shared/a')
    two.mkdir('/Shared/b')
    assert one.names('/Shared') == two.names('/Shared') == ['a', 'b']


def test_many_first_calls_at_once(tmp_path: Path, planted: list[int]) -> None:
    apps = [Api(make_app(tmp_path, seed=True)) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda number: apps[number % 4].names('/Shared/Brand'), range(16)))
    assert names == [['sub', 'a b.txt']] * 16
    assert len(planted) == 1


def test_a_removed_directory_is_made_anew(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path / 'egnyte'))
    api.mkdir('/Shared/a')
    shutil.rmtree(tmp_path / 'egnyte')
    assert api.names('/Shared') == []


def test_seeding_that_broke_off_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[tuple[str, bytes | None, int]]:
        yield from TREE
        raise MemoryError

    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', broken)
    with pytest.raises(MemoryError):
        Api(make_app(tmp_path, seed=True)).fs('/Shared')
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(TREE))
    api = Api(make_app(tmp_path, seed=True))
    assert api.content('/Shared/Brand/a b.txt').body == b'hello'


def test_leftovers_of_a_killed_process_are_swept_after_a_day(tmp_path: Path) -> None:
    api = Api(make_app(tmp_path))
    api.upload('/Shared/x/a.txt', b'kept')
    old = [tmp_path / 'contents' / 'orphan', tmp_path / 'incoming' / 'half']
    fresh = tmp_path / 'incoming' / 'under way'
    for path in (*old, fresh):
        path.write_bytes(b'x')
    for path in (*old, *(tmp_path / 'contents').iterdir()):
        utime(path, (0, 0))
    api = Api(make_app(tmp_path))
    assert api.content('/Shared/x/a.txt').body == b'kept'
    assert not any(path.exists() for path in old)
    assert fresh.exists()
