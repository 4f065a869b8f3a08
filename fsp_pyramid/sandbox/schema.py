"""The tables of the database.

Times are UNIX milliseconds. ``guid`` is Egnyte's ``folder_id`` or ``group_id``. A node whose
chain of parents does not end at the root is in the trash.
"""

VERSION = 4
ROOT = 1  # the id of the node '/'

CODES = """
CREATE TABLE codes (
    code TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
"""
# What brings a root of an older version to the next one.
UPGRADES = {2: CODES, 3: 'UPDATE nodes SET name_key = key_of(name)'}

TABLES = (
    CODES
    + """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    email TEXT NOT NULL COLLATE NOCASE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    user_type TEXT NOT NULL,
    password TEXT,
    active INTEGER NOT NULL DEFAULT 1,
    profile TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE groups (guid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE) WITHOUT ROWID;
CREATE TABLE members (
    guid TEXT NOT NULL REFERENCES groups ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (guid, user)
) WITHOUT ROWID;
CREATE TABLE tokens (
    token TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL DEFAULT '',
    expires INTEGER,
    refresh_token TEXT UNIQUE
) WITHOUT ROWID;

CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER REFERENCES nodes ON DELETE CASCADE,
    is_file INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    guid TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    options TEXT NOT NULL DEFAULT '{}',
    version INTEGER
);
CREATE UNIQUE INDEX nodes_by_name ON nodes (parent, name_key);
CREATE INDEX nodes_in_order ON nodes (parent, is_file, name_key);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node INTEGER NOT NULL REFERENCES nodes ON DELETE CASCADE,
    entry_id TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    uploaded_by TEXT NOT NULL
);
CREATE INDEX versions_by_node ON versions (node, id);
CREATE TABLE locks (
    node INTEGER PRIMARY KEY REFERENCES nodes ON DELETE CASCADE,
    token TEXT NOT NULL,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    collaboration TEXT,
    expires INTEGER NOT NULL
);
CREATE TABLE trash (
    guid TEXT PRIMARY KEY,
    node INTEGER NOT NULL UNIQUE REFERENCES nodes ON DELETE CASCADE,
    path TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    deleted_by TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE permissions (
    node INTEGER NOT NULL REFERENCES nodes ON DELETE CASCADE,
    principal TEXT NOT NULL,
    level INTEGER NOT NULL,
    PRIMARY KEY (node, principal)
) WITHOUT ROWID;
CREATE INDEX permissions_by_principal ON permissions (principal);

CREATE TABLE chunked_uploads (
    guid TEXT PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    path TEXT NOT NULL,
    started INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE chunks (
    upload TEXT NOT NULL REFERENCES chunked_uploads ON DELETE CASCADE,
    number INTEGER NOT NULL,
    content TEXT NOT NULL,
    size INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    node INTEGER NOT NULL REFERENCES nodes ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    created INTEGER NOT NULL,
    details TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    node INTEGER NOT NULL REFERENCES nodes ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    created INTEGER NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX links_by_node ON links (node);
CREATE INDEX notes_by_node ON notes (node);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    user INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    path TEXT NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE turns (token TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX turns_by_token ON turns (token, at);
CREATE TABLE days (
    token TEXT PRIMARY KEY, day INTEGER NOT NULL, calls INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE faults (
    id INTEGER PRIMARY KEY, method TEXT, path_prefix TEXT NOT NULL, times INTEGER NOT NULL,
    kind TEXT NOT NULL, value REAL
);
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, token TEXT
);
"""
)
