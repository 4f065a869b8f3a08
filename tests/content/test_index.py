"""What is known of files, and what is kept of them."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.content.directory import CacheDirectory
from fsp_pyramid.content.index import (
    DOUBT,
    Copy,
    Index,
    Version,
)

VERSION = Version('file', 'v1', 'c' * 128, 5, 1_700_000_000_000, 'a.png', 100.0)
COPY = Copy('fsp', 'file', 'v1', 'c' * 128, 5, 1_700_000_000_000, 'image/png', 100.0)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(CacheDirectory(str(tmp_path / 'cache')))


def test_what_was_learnt_is_known_in_that_domain(index: Index) -> None:
    assert index.version('acme', 'file') is None
    index.learn('acme', [VERSION])
    assert index.version('acme', 'file') == VERSION
    assert index.version('other', 'file') is None


@given(st.permutations(range(6)))
def test_in_whatever_order_it_comes_the_latest_is_right(order: list[int]) -> None:
    index = Index(CacheDirectory(''))
    for number in order:
        index.learn('acme', [replace(VERSION, version_id=f'v{number}', seen=float(number))])
    known = index.version('acme', 'file')
    assert known is not None
    assert known.version_id == 'v5'


def test_a_name_stays_until_another_one_is_known(index: Index) -> None:
    index.learn('acme', [VERSION])
    index.learn('acme', [replace(VERSION, name='', version_id='v2', seen=101.0)])
    assert index.version('acme', 'file') == replace(VERSION, version_id='v2', seen=101.0)
    index.rename('acme', 'file', 'b.png')
    assert index.version('acme', 'file').name == 'b.png'


def test_a_deleted_file_is_gone_until_it_is_seen_again(index: Index) -> None:
    index.learn('acme', [replace(VERSION, version_id='', seen=101.0)])
    index.learn('acme', [VERSION])  # asked for before it was deleted
    assert index.version('acme', 'file').gone
    index.learn('acme', [replace(VERSION, seen=102.0)])
    assert not index.version('acme', 'file').gone


def test_what_is_doubted_is_known_as_if_it_was_seen_long_ago(index: Index) -> None:
    index.learn('acme', [VERSION])
    index.doubt('acme', 'file')
    assert index.version('acme', 'file') == replace(VERSION, seen=0)
    index.learn('acme', [replace(VERSION, version_id='')])
    index.doubt('acme', 'file')
    assert index.version('acme', 'file') is None, 'it may be there again'


def test_copies_are_for_the_account_that_fetched_them(index: Index) -> None:
    index.add(COPY)
    assert index.copy('fsp', 'file', 'v1') == COPY
    assert index.copy('other', 'file', 'v1') is None
    newer = replace(COPY, version_id='v2', stored=200.0)
    index.add(newer)
    assert index.last_copy('fsp', 'file') == newer
    assert index.last_copy('other', 'file') is None
    index.remove([newer.key])
    assert index.last_copy('fsp', 'file') == COPY


def test_a_refusal_ends_when_the_account_sees_the_file(index: Index) -> None:
    for account in ('fsp', 'other'):
        index.refuse(account, 'file', 50.0)
    index.learn('acme', [VERSION], 'fsp')
    assert index.refused_at('fsp', 'file') is None
    assert index.refused_at('other', 'file') == 50.0
    index.add(replace(COPY, account='other'))
    assert index.refused_at('other', 'file') is None


def test_what_is_old_and_of_no_use_is_forgotten(index: Index) -> None:
    index.add(COPY)
    index.learn('acme', [VERSION, replace(VERSION, file_id='unused'), replace(VERSION, file_id='new', seen=300.0)])
    index.refuse('fsp', 'unused', 100.0)
    index.forget_before(200.0)
    assert [index.version('acme', name) is not None for name in ('file', 'unused', 'new')] == [True, False, True]
    assert index.refused_at('fsp', 'unused') is None


def test_types_are_those_of_contents(index: Index) -> None:
    index.learn_type('c' * 128, 'image/png')
    index.learn_type('v2', 'image/gif')
    assert index.types(['c' * 128, 'v1', 'v2']) == {'c' * 128: 'image/png', 'v2': 'image/gif'}
    assert index.types([]) == {}


def test_a_type_is_forgotten_with_the_last_file_that_has_the_content(index: Index) -> None:
    for content in ('c' * 128, 'd' * 128, 'v2', 'e' * 128):
        index.learn_type(content, 'image/png')
    index.learn('acme', [VERSION, replace(VERSION, file_id='other', version_id='v2', checksum='')])
    index.add(replace(COPY, checksum='d' * 128))
    index.forget_before(0.0)
    assert set(index.types(['c' * 128, 'd' * 128, 'v2', 'e' * 128])) == {'c' * 128, 'd' * 128, 'v2'}


def test_an_index_that_is_none_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / 'cache').mkdir()
    (tmp_path / 'cache' / 'index.sqlite').write_bytes(b'rubbish' * 1000)
    index = Index(CacheDirectory(str(tmp_path / 'cache')))
    index.learn('acme', [VERSION])
    assert index.version('acme', 'file') == VERSION


def test_threads_and_processes_share_it(tmp_path: Path) -> None:
    indexes = [Index(CacheDirectory(str(tmp_path / 'cache'))) for _ in range(2)]
    errors: list[Exception] = []

    def learn(number: int) -> None:
        try:
            for turn in range(20):
                indexes[number % 2].learn('acme', [replace(VERSION, file_id=f'{number}', seen=float(turn))])
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [index.version('acme', f'{number}').seen for number in range(6) for index in indexes] == [19.0] * 12


def test_a_clock_that_was_set_back_keeps_nothing_from_being_learnt(tmp_path: Path) -> None:
    now = 2_000_000_000.0
    index = Index(CacheDirectory(str(tmp_path)), lambda: now)
    index.learn('acme', [replace(VERSION, seen=now)])
    now -= 30 * 86400
    index.learn('acme', [replace(VERSION, version_id='v2', seen=now)])
    index.learn('acme', [replace(VERSION, version_id='v0', seen=now - 1)])
    assert index.version('acme', 'file').version_id == 'v2'


def test_what_a_process_intends_is_in_doubt_when_it_ends(tmp_path: Path) -> None:
    now = 1000.0
    writer, reader = (Index(CacheDirectory(str(tmp_path)), lambda: now) for _ in range(2))
    writer.intend('acme', 'file')
    assert reader.doubted_since('acme', 'file') is None, 'it lives'
    now = 1001.0
    writer.give_up('acme', 'file')
    assert reader.doubted_since('acme', 'file') == 1001.0
    assert reader.doubted_since('other', 'file') is None


def test_what_a_process_made_is_in_no_doubt(index: Index) -> None:
    for settle in (lambda: index.learn('acme', [VERSION], made=True), lambda: index.rename('acme', 'file', 'b.png')):
        index.intend('acme', 'file')
        settle()
        index.give_up('acme', 'file')
        assert index.doubted_since('acme', 'file') is None


def test_a_doubt_ends_with_a_version_that_is_much_newer(tmp_path: Path) -> None:
    now = 1000.0
    index = Index(CacheDirectory(str(tmp_path)), lambda: now)
    index.suspect('acme', 'file', now)
    index.suspect('acme', 'file', now - 5)
    index.learn('acme', [replace(VERSION, seen=now + DOUBT - 1)])
    assert index.doubted_since('acme', 'file') == now
    index.learn('acme', [replace(VERSION, seen=now + DOUBT)])
    assert index.doubted_since('acme', 'file') is None
    index.suspect('acme', 'file', now)
    index.forget_before(now + 1)
    assert index.doubted_since('acme', 'file') is None


def test_a_directory_of_an_older_version_stays_of_use(tmp_path: Path) -> None:
    index = Index(CacheDirectory(str(tmp_path)))
    index.learn('acme', [VERSION])
    with sqlite3.connect(tmp_path / 'index.sqlite') as connection:
        connection.execute('DROP TABLE intents')
    connection.close()
    index = Index(CacheDirectory(str(tmp_path)))
    assert (index.version('acme', 'file'), index.doubted_since('acme', 'file')) == (VERSION, None)
