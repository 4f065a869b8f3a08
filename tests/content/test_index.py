"""Index: versions, copies, refusals, types and intents."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.content import index as index_module
from fsp_pyramid.content.directory import CacheDirectory
from fsp_pyramid.content.index import (
    UNCERTAIN_FOR,
    Copy,
    Index,
    Version,
)

VERSION = Version('file', 'v1', 'c' * 128, 5, 1_700_000_000_000, 'a.png', 100.0)
COPY = Copy('fsp', 'file', 'v1', 'c' * 128, 5, 1_700_000_000_000, 'image/png', 100.0)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(CacheDirectory(str(tmp_path / 'cache')))


def test_version_is_known_in_its_domain(index: Index) -> None:
    assert index.version('acme', 'file') is None
    index.record_versions('acme', [VERSION])
    assert index.version('acme', 'file') == VERSION
    assert index.version('other', 'file') is None


@given(st.permutations(range(6)))
def test_latest_version_wins_in_any_order(order: list[int]) -> None:
    index = Index(CacheDirectory(''))
    for number in order:
        index.record_versions('acme', [VERSION._replace(version_id=f'v{number}', seen=float(number))])
    known = index.version('acme', 'file')
    assert known is not None
    assert known.version_id == 'v5'


def test_name_is_kept_until_another_one_is_recorded(index: Index) -> None:
    index.record_versions('acme', [VERSION])
    index.record_versions('acme', [VERSION._replace(name='', version_id='v2', seen=101.0)])
    assert index.version('acme', 'file') == VERSION._replace(version_id='v2', seen=101.0)
    index.rename('acme', 'file', 'b.png')
    assert index.version('acme', 'file').name == 'b.png'


def test_deleted_file_stays_deleted_until_it_is_seen_again(index: Index) -> None:
    index.record_versions('acme', [VERSION._replace(version_id='', seen=101.0)])
    index.record_versions('acme', [VERSION])  # asked for before it was deleted
    assert index.version('acme', 'file').is_deleted
    index.record_versions('acme', [VERSION._replace(seen=102.0)])
    assert not index.version('acme', 'file').is_deleted


def test_invalidated_version_counts_as_seen_at_time_zero(index: Index) -> None:
    index.record_versions('acme', [VERSION])
    index.invalidate('acme', 'file')
    assert index.version('acme', 'file') == VERSION._replace(seen=0)
    index.record_versions('acme', [VERSION._replace(version_id='')])
    index.invalidate('acme', 'file')
    assert index.version('acme', 'file') is None, 'it may be there again'


def test_copies_belong_to_the_account_that_fetched_them(index: Index) -> None:
    index.add_copy(COPY)
    assert index.copy('fsp', 'file', 'v1') == COPY
    assert index.copy('other', 'file', 'v1') is None
    newer = COPY._replace(version_id='v2', stored=200.0)
    index.add_copy(newer)
    assert index.last_copy('fsp', 'file') == newer
    assert index.last_copy('other', 'file') is None
    index.remove_copies([newer.key])
    assert index.last_copy('fsp', 'file') == COPY


def test_refusal_ends_when_the_account_sees_the_file(index: Index) -> None:
    for account in ('fsp', 'other'):
        index.record_refusal(account, 'file', 50.0)
    index.record_versions('acme', [VERSION], 'fsp')
    assert index.known('acme', 'fsp', 'file').refused_at is None
    assert index.known('acme', 'other', 'file').refused_at == 50.0
    index.add_copy(COPY._replace(account='other'))
    assert index.known('acme', 'other', 'file').refused_at is None


def test_old_unused_records_are_pruned(index: Index) -> None:
    index.add_copy(COPY)
    index.record_versions(
        'acme', [VERSION, VERSION._replace(file_id='unused'), VERSION._replace(file_id='new', seen=300.0)]
    )
    index.record_refusal('fsp', 'unused', 100.0)
    index.prune(200.0)
    assert [index.version('acme', name) is not None for name in ('file', 'unused', 'new')] == [True, False, True]
    assert index.known('acme', 'fsp', 'unused').refused_at is None


def test_pruning_lets_other_writers_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, other = (Index(CacheDirectory(str(tmp_path))) for _ in range(2))
    index.record_versions('acme', [VERSION._replace(file_id=f'{number}') for number in range(100)])
    monkeypatch.setattr(index_module, 'BATCH', 10)
    transaction, writes = index._pool.transaction, list[int]()

    @contextmanager
    def followed_by_a_write() -> Iterator[sqlite3.Connection]:
        with transaction() as connection:
            yield connection
        other.record_type('content', 'image/png')  # waits for the lock, if it is held
        writes.append(1)

    monkeypatch.setattr(index._pool, 'transaction', followed_by_a_write)
    index.prune(200.0)
    assert len(writes) > 10
    assert index.version('acme', '99') is None


def test_version_that_is_seen_while_others_are_pruned_stays(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.record_versions('acme', [VERSION])
    delete = index._delete

    def seen_before(statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        found = list(rows)
        index.record_versions('acme', [VERSION._replace(seen=300.0)])
        delete(statement, found)

    monkeypatch.setattr(index, '_delete', seen_before)
    index.prune(200.0)
    assert index.version('acme', 'file') == VERSION._replace(seen=300.0)


def test_types_are_recorded_by_content(index: Index) -> None:
    index.record_type('c' * 128, 'image/png')
    index.record_type('v2', 'image/gif')
    assert index.types(['c' * 128, 'v1', 'v2']) == {'c' * 128: 'image/png', 'v2': 'image/gif'}
    assert index.types([]) == {}


def test_type_is_pruned_with_the_last_file_of_its_content(index: Index) -> None:
    for content in ('c' * 128, 'd' * 128, 'v2', 'e' * 128):
        index.record_type(content, 'image/png')
    index.record_versions('acme', [VERSION, VERSION._replace(file_id='other', version_id='v2', checksum='')])
    index.add_copy(COPY._replace(checksum='d' * 128))
    index.prune(0.0)
    assert set(index.types(['c' * 128, 'd' * 128, 'v2', 'e' * 128])) == {'c' * 128, 'd' * 128, 'v2'}


def test_corrupt_index_is_recreated(tmp_path: Path) -> None:
    (tmp_path / 'cache').mkdir()
    (tmp_path / 'cache' / 'index.sqlite').write_bytes(b'rubbish' * 1000)
    index = Index(CacheDirectory(str(tmp_path / 'cache')))
    index.record_versions('acme', [VERSION])
    assert index.version('acme', 'file') == VERSION


def test_threads_and_processes_share_the_index(tmp_path: Path) -> None:
    indexes = [Index(CacheDirectory(str(tmp_path / 'cache'))) for _ in range(2)]
    errors: list[Exception] = []

    def learn(number: int) -> None:
        try:
            for turn in range(20):
                indexes[number % 2].record_versions('acme', [VERSION._replace(file_id=f'{number}', seen=float(turn))])
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [index.version('acme', f'{number}').seen for number in range(6) for index in indexes] == [19.0] * 12


def test_versions_are_recorded_after_the_clock_was_set_back(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    index = Index(CacheDirectory(str(tmp_path)), lambda: now)
    index.record_versions('acme', [VERSION._replace(seen=now)])
    now -= 30 * 86400
    index.record_versions('acme', [VERSION._replace(version_id='v2', seen=now)])
    index.record_versions('acme', [VERSION._replace(version_id='v0', seen=now - 1)])
    assert index.version('acme', 'file').version_id == 'v2'


def test_abandoned_intent_makes_the_file_uncertain(tmp_path: Path) -> None:
    now = 1000.0
    writer, reader = (Index(CacheDirectory(str(tmp_path)), lambda: now) for _ in range(2))
    writer.record_intent('acme', 'file')
    assert reader.uncertain_since('acme', 'file') is None, 'it lives'
    now = 1001.0
    writer.abandon_intent('acme', 'file')
    assert reader.uncertain_since('acme', 'file') == 1001.0
    assert reader.uncertain_since('other', 'file') is None


def test_recorded_outcome_settles_the_intent(index: Index) -> None:
    for settle in (
        lambda: index.record_versions('acme', [VERSION], made=True),
        lambda: index.rename('acme', 'file', 'b.png'),
    ):
        index.record_intent('acme', 'file')
        settle()
        index.abandon_intent('acme', 'file')
        assert index.uncertain_since('acme', 'file') is None


def test_much_newer_version_ends_the_uncertainty(tmp_path: Path) -> None:
    now = 1000.0
    index = Index(CacheDirectory(str(tmp_path)), lambda: now)
    index.mark_uncertain('acme', 'file', now)
    index.mark_uncertain('acme', 'file', now - 5)
    index.record_versions('acme', [VERSION._replace(seen=now + UNCERTAIN_FOR - 1)])
    assert index.uncertain_since('acme', 'file') == now
    index.record_versions('acme', [VERSION._replace(seen=now + UNCERTAIN_FOR)])
    assert index.uncertain_since('acme', 'file') is None
    index.mark_uncertain('acme', 'file', now)
    index.prune(now + 1)
    assert index.uncertain_since('acme', 'file') is None


def test_index_of_an_older_release_is_extended(tmp_path: Path) -> None:
    index = Index(CacheDirectory(str(tmp_path)))
    index.record_versions('acme', [VERSION])
    with sqlite3.connect(tmp_path / 'index.sqlite') as connection:
        connection.execute('DROP TABLE intents')
    connection.close()
    index = Index(CacheDirectory(str(tmp_path)))
    assert (index.version('acme', 'file'), index.uncertain_since('acme', 'file')) == (VERSION, None)


def test_all_that_is_known_of_a_file_comes_at_once(index: Index) -> None:
    assert index.known('acme', 'fsp', 'file') == (None, None, False, None)
    index.add_copy(COPY._replace(version_id='v0'))
    index.record_versions('acme', [VERSION])
    index.record_intent('other', 'file')
    index.record_refusal('other', 'file', 50.0)
    assert index.known('acme', 'fsp', 'file') == (VERSION, None, False, None), 'the copy is of another version'
    index.add_copy(COPY)
    index.record_intent('acme', 'file')
    assert index.known('acme', 'fsp', 'file') == (VERSION, None, True, COPY)
    assert index.known('acme', 'other', 'file') == (VERSION, 50.0, True, None)
