"""Threads, processes and sudden death: what was committed is complete, and the tree stays a tree."""

import hashlib
import multiprocessing
import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.sandbox import make_app, seed
from fsp_pyramid.sandbox.options import Options
from fsp_pyramid.sandbox.tree import Tree

from .api import Api

SPAWN = multiprocessing.get_context('spawn')  # as separate servers are: nothing is shared but the directory
FOLDERS = ['/Shared/a', '/Shared/b', '/Shared/a/c']


def assert_consistent(root: Path) -> None:
    """Every version has its content, every file a current version, and all nodes hang together."""
    db = sqlite3.connect(root / 'sandbox.sqlite')
    assert db.execute('PRAGMA integrity_check').fetchone() == ('ok',)
    assert db.execute('PRAGMA foreign_key_check').fetchall() == []
    versions = db.execute('SELECT entry_id, checksum, size FROM versions').fetchall()
    for entry_id, checksum, size in versions:
        content = (root / 'contents' / entry_id).read_bytes()
        assert (len(content), hashlib.sha512(content).hexdigest()) == (size, checksum)
    headless = 'SELECT count(*) FROM nodes n WHERE is_file AND NOT EXISTS (SELECT 1 FROM versions WHERE id = n.version)'
    assert db.execute(headless).fetchone() == (0,)
    reached = (
        'WITH RECURSIVE down (id) AS (SELECT 1 UNION ALL SELECT node FROM trash'
        ' UNION ALL SELECT n.id FROM nodes n JOIN down ON n.parent = down.id) SELECT count(*) FROM down'
    )
    assert db.execute(reached).fetchone() == db.execute('SELECT count(*) FROM nodes').fetchone()
    db.close()


def work(root: str, worker: int) -> set[int]:
    """Four threads of random calls; returns the statuses."""
    api = Api(make_app(root))

    def calls(thread: int) -> set[int]:
        chance = random.Random(f'{worker}.{thread}')
        return {change(api, chance) for _ in range(40)}

    with ThreadPoolExecutor(4) as pool:
        return set().union(*pool.map(calls, range(4)))


def change(api: Api, chance: random.Random) -> int:
    """One call, which may meet the calls of others, and so be refused."""
    path, other = (f'{chance.choice(FOLDERS)}/{chance.randrange(6)}.txt' for _ in range(2))
    url, options = f'/pubapi/v1/fs{path}', {'headers': api.headers, 'status': '*'}
    action = chance.choice(['move', 'copy', 'delete', 'upload', 'upload'])
    if action == 'delete':
        return api.web.delete(url, **options).status_code
    if action == 'upload':
        return api.web.post(f'/pubapi/v1/fs-content{path}', chance.randbytes(2000), **options).status_code
    return api.web.post_json(url, {'action': action, 'destination': other}, **options).status_code


def test_threads_and_processes_share_a_directory(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, SPAWN) as pool:
        statuses = set().union(*pool.map(work, [str(tmp_path)] * 2, range(2)))
    assert statuses == {200, 403, 404}
    assert_consistent(tmp_path)
    assert len(Api(make_app(tmp_path)).calls()) == 2 * 4 * 40
    db = sqlite3.connect(tmp_path / 'sandbox.sqlite')
    known = {entry_id for (entry_id,) in db.execute('SELECT entry_id FROM versions')}
    db.close()
    assert {path.name for path in (tmp_path / 'contents').iterdir()} == known
    assert list((tmp_path / 'incoming').iterdir()) == []


def upload_for_ever(root: str, connection: Connection) -> None:
    """Upload, and tell each time that it is done."""
    api = Api(make_app(root))
    for number in range(1_000_000):
        path = f'/Shared/x/{number % 5}.bin'
        stored = api.upload(path, random.randbytes(300_000))
        connection.send((stored['entry_id'], stored['checksum']))


def test_a_killed_process_leaves_only_complete_files(tmp_path: Path) -> None:
    done: list[tuple[str, str]] = []
    for patience in (1, 4, 7):
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=upload_for_ever, args=(str(tmp_path), theirs))
        process.start()
        theirs.close()
        done += [ours.recv() for _ in range(patience)]
        process.kill()
        process.join()
        ours.close()
        assert process.exitcode == -signal.SIGKILL
        process.close()
        Api(make_app(tmp_path)).fs('/Shared/x')
        assert_consistent(tmp_path)
    db = sqlite3.connect(tmp_path / 'sandbox.sqlite')
    kept = dict(db.execute('SELECT entry_id, checksum FROM versions'))
    db.close()
    assert set(done) <= set(kept.items())


def seed_and_die(root: str) -> None:
    """Be killed after the second item of the seed tree."""

    def tree() -> Iterator[tuple[str, bytes | None, int]]:
        yield '/Shared/Brand', None, 1000
        yield '/Shared/Brand/a.txt', b'a', 1000
        os.kill(os.getpid(), signal.SIGKILL)

    seed.tree = tree
    Api(make_app(root, seed=True)).fs('/')


def test_killed_seeding_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = SPAWN.Process(target=seed_and_die, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()
    tree: list[tuple[str, Any, int]] = [('/Shared/Brand', None, 1), ('/Shared/Brand/a.txt', b'again', 2)]
    monkeypatch.setattr(seed, 'tree', lambda: iter(tree))
    assert Api(make_app(tmp_path, seed=True)).content('/Shared/Brand/a.txt').body == b'again'
    assert_consistent(tmp_path)


def test_pages_of_a_large_folder_come_quickly(tmp_path: Path) -> None:
    """10,000 files, 1,000 a page: the database does the paging, so a page costs what is in it."""
    api = Api(make_app(tmp_path))
    stored = api.upload('/Shared/big/0.txt')
    db = sqlite3.connect(tmp_path / 'sandbox.sqlite')
    (node,) = db.execute('SELECT id FROM nodes WHERE guid = ?', (stored['group_id'],)).fetchone()
    with db:
        db.executemany(
            'INSERT INTO nodes (parent, is_file, name, name_key, guid, created, touched)'
            ' SELECT parent, 1, :name, :name, :name, 0, 0 FROM nodes WHERE id = :node',
            [{'name': f'{number:05}.txt', 'node': node} for number in range(1, 10_000)],
        )
        db.execute(
            'INSERT INTO versions (node, entry_id, checksum, size, uploaded, modified, uploaded_by)'
            " SELECT id, guid, '', id % 100, 0, 0, 'demo' FROM nodes WHERE is_file AND id != ?",
            (node,),
        )
        db.execute('UPDATE nodes SET version = (SELECT id FROM versions WHERE node = nodes.id) WHERE is_file')
    for offset in (0, 9000):
        page = api.fs('/Shared/big', {'count': 1000, 'offset': offset, 'include_perm': 'true'})
        assert (len(page['files']), page['total_count']) == (1000, 10_000)
    statements: list[str] = []
    db.row_factory = sqlite3.Row
    tree = Tree(db, Options(root=tmp_path))
    folder = tree.find('/Shared/big')
    db.set_trace_callback(statements.append)
    tree.children(folder, count=1000)
    db.set_trace_callback(None)
    plans = [str([tuple(row) for row in db.execute(f'EXPLAIN QUERY PLAN {each}')]) for each in statements]
    db.close()
    assert not any('TEMP B-TREE' in plan or 'SCAN n' in plan for plan in plans)
    assert 'nodes_in_order' in plans[-1]
