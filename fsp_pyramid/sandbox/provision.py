"""A new root's first content: tables, users, top folders, and the seed tree.

Every step is one transaction that ends with a mark, so a process that is killed in between leaves
nothing half done, and the next start does what is missing. The caller holds the root's lock.
"""

import sqlite3
from typing import NamedTuple
from uuid import uuid4

from . import schema, users, versions
from .contents import Contents, Received
from .options import Options
from .permissions import Level
from .tree import Tree
from .users import API_KEY, principal

ADMIN = 'demo'
# username, first name, last name, type, level at /Shared/Brand; the password is the username
USERS = (
    (ADMIN, 'Demo', 'Admin', 'admin', None),
    ('alice', 'Alice', 'Adams', 'power', Level.EDITOR),
    ('bob', 'Bob', 'Brown', 'power', Level.VIEWER),
)
BRAND = '/Shared/Brand'


class _Seeded(NamedTuple):
    path: str
    entry_id: str | None
    received: Received | None
    modified: int


def token_of(username: str) -> str:
    """Return the fixed token of a built-in user."""
    return 'sandbox' if username == ADMIN else f'sandbox-{username}'


def provision(db: sqlite3.Connection, contents: Contents, options: Options) -> None:
    """Bring the root up to what *options* ask for."""
    if db.execute('PRAGMA journal_mode').fetchone()[0] != 'wal':
        db.execute('PRAGMA journal_mode = WAL')
    version = db.execute('PRAGMA user_version').fetchone()[0]
    if version == 0:
        _create(db, options)
    elif version != schema.VERSION:
        _upgrade(db, version, options)
    contents.sweep(db)
    if options.seed and not _is_marked(db, 'seeded'):
        _seed(db, contents, options)


def _upgrade(db: sqlite3.Connection, version: int, options: Options) -> None:
    """Bring a root of an older version up to this one, with all that is in it."""
    if version not in schema.UPGRADES:
        raise RuntimeError(f'{options.root} was made by another version of the sandbox: remove it to begin anew')
    db.create_function('key_of', 1, Tree(db, options).key)
    db.execute('BEGIN IMMEDIATE')
    for older in range(version, schema.VERSION):
        _execute_all(db, schema.UPGRADES[older])
    db.execute(f'PRAGMA user_version = {schema.VERSION}')
    db.commit()


def _execute_all(db: sqlite3.Connection, statements: str) -> None:
    # executescript() would commit; splitting is safe, no literal in the schema holds a semicolon.
    for statement in statements.split(';'):
        db.execute(statement)


def _create(db: sqlite3.Connection, options: Options) -> None:
    now = options.now()
    db.execute('BEGIN IMMEDIATE')
    _execute_all(db, schema.TABLES)
    db.execute(
        "INSERT INTO nodes (id, is_file, name, name_key, guid, created, touched) VALUES (?, 0, '', '', ?, ?, ?)",
        (schema.ROOT, str(uuid4()), now, now),
    )
    tree = Tree(db, options)
    for name in ('Shared', 'Private'):
        tree.add(tree.walk('/')[0], name, now, is_file=False)
    for username, first, last, kind, _ in USERS:
        users.add(
            db,
            tree,
            now,
            username,
            email=f'{username}@example.com',
            first_name=first,
            last_name=last,
            user_type=kind,
            password=username,
        )
        db.execute(
            'INSERT INTO tokens (token, user, client_id) SELECT ?, id, ? FROM users WHERE username = ?',
            (token_of(username), API_KEY, username),
        )
    db.execute(f'PRAGMA user_version = {schema.VERSION}')
    db.commit()


def _seed(db: sqlite3.Connection, contents: Contents, options: Options) -> None:
    from .seed import tree as seed_tree  # Pillow draws the pictures: only who seeds waits for it

    items = [_write(contents, *item) for item in seed_tree()]
    tree = Tree(db, options)
    db.execute('BEGIN IMMEDIATE')
    for item in items:
        _plant(db, tree, item)
    _grant_brand(db, tree)
    db.execute("INSERT INTO meta VALUES ('seeded', '1')")
    db.commit()


def _write(contents: Contents, path: str, content: bytes | None, modified: int) -> _Seeded:
    if content is None:
        return _Seeded(path, None, None, modified)
    entry_id = str(uuid4())
    with contents.receive([content]) as received:
        contents.keep(received, entry_id)
    return _Seeded(path, entry_id, received, modified)


def _plant(db: sqlite3.Connection, tree: Tree, item: _Seeded) -> None:
    parent, missing = tree.walk(item.path)
    if not missing:
        return  # somebody has used the sandbox before seeding it; theirs stays
    for name in missing[:-1]:
        parent = tree.add(parent, name, item.modified, is_file=False)
    node = tree.add(parent, missing[-1], item.modified, is_file=item.entry_id is not None)
    if item.entry_id and item.received:
        _, size, checksum = item.received
        version = versions.Version(item.entry_id, checksum, size, item.modified, item.modified, ADMIN)
        versions.add(db, node, version)


def _grant_brand(db: sqlite3.Connection, tree: Tree) -> None:
    brand = tree.find(BRAND)
    for username, *_, level in USERS:
        if brand and level:
            id_ = db.execute('SELECT id FROM users WHERE username = ?', (username,)).fetchone()[0]
            db.execute(
                'INSERT OR IGNORE INTO permissions VALUES (?, ?, ?)',
                (brand.id, principal(id_), level),
            )


def _is_marked(db: sqlite3.Connection, key: str) -> bool:
    return db.execute('SELECT 1 FROM meta WHERE key = ?', (key,)).fetchone() is not None
