"""Snapshots of the data that a version leaves on disk: write one, and restore one.

``python -m tests.upgrade.snapshot VERSION`` writes ``data/VERSION.json`` with the code that is checked out. Run it at a
release, and before a change of what is kept on disk. Databases are stored as SQL, so that a snapshot is readable.
"""

import base64
import io
import json
import re
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image
from pyramid.response import Response
from webtest.http import StopableWSGIServer

from fsp_pyramid import main
from fsp_pyramid.sandbox import make_app

from ..connect.conftest import served
from ..connect.visitor import Site, Visitor, new_session
from ..timing import PATIENCE

DATA = Path(__file__).with_name('data')
# The index holds the domain of its files, so Egnyte has a fixed URL: a port without a listener later.
EGNYTE_PORT = 9
KEY = 'HWukC8va6DP2TTnBiI_7T7ILsgWpMC63KLzL8wqMrOo='
WHO = {'X-BEE-ClientId': 'shop', 'X-BEE-Uid': 'anna'}
CREDENTIALS = ('beefree', 'secret-password')
# Keys of an item's metadata, by the content they link to.
LINKS = {'file': 'public-url', 'thumbnail': 'thumbnail'}


def settings(directory: Path) -> dict[str, str]:
    """Return settings, the same for the application that writes the snapshot and for the later version."""
    return {
        'fsp.username': CREDENTIALS[0],
        'fsp.password': CREDENTIALS[1],
        'fsp.egnyte.url': f'http://127.0.0.1:{EGNYTE_PORT}',
        'fsp.public.secret': 's' * 32,
        'fsp.public.cache_dir': str(directory / 'cache'),
        'fsp.accounts.mode': 'oauth',
        'fsp.accounts.keys': KEY,
        'fsp.oauth.key': 'sandbox-key',
        'fsp.oauth.secret': 'sandbox-secret',
        'fsp.database_url': f'sqlite:///{directory / "accounts.sqlite"}',
        'fsp.sources.allow': '127.0.0.1',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
    }


def picture() -> bytes:
    """Return a PNG of 40 x 20."""
    file = io.BytesIO()
    Image.new('RGB', (40, 20), 'teal').save(file, 'PNG')
    return file.getvalue()


def lay_out(snapshot: dict[str, Any], directory: Path) -> None:
    """Write the files and databases of *snapshot* below *directory*."""
    for name, sql in snapshot['databases'].items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql['script'])
            connection.execute(f'PRAGMA user_version = {int(sql["user_version"])}')
            connection.commit()
    for name, content in snapshot['files'].items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))


def make(directory: Path) -> dict[str, Any]:
    """Run an application below *directory*, and return its files and databases with the links it issued."""
    egnyte = StopableWSGIServer.create(make_app(directory / 'egnyte'), threads=4, port=EGNYTE_PORT)
    application = main({}, **settings(directory))
    try:
        with served(application) as url:
            links = _use(Site(application, url))
    finally:
        egnyte.shutdown()
    return {'links': links} | _left(directory)


def _use(site: Site) -> dict[str, str]:
    """Connect an account, upload a picture and look at it; return the paths of its public URLs."""
    with Visitor() as visitor:
        visitor.open(site.link()).submit('Go to Egnyte').consent()
    source = StopableWSGIServer.create(Response(picture(), content_type='image/png'))
    with new_session() as session:
        session.auth = CREDENTIALS
        body = {'source': f'{source.application_url}teal.png'}
        answer = session.post(f'{site.url}/fsp/Teal%20picture.png', json=body, headers=WHO, timeout=PATIENCE)
        answer.raise_for_status()
        meta = answer.json()['data']['meta']
        paths = {kind: meta[key].removeprefix(site.url) for kind, key in LINKS.items()}
        while session.get(site.url + paths['thumbnail'], timeout=PATIENCE).headers['Cache-Control'] == 'no-store':
            pass  # still being rendered
        assert session.get(site.url + paths['file'], timeout=PATIENCE).content == picture()
    source.shutdown()
    return paths


def _left(directory: Path) -> dict[str, Any]:
    databases, files = {}, {}
    for path in sorted(path for top in ('cache', 'accounts.sqlite') for path in _files(directory / top)):
        name = path.relative_to(directory).as_posix()
        if path.read_bytes().startswith(b'SQLite format 3'):
            with closing(sqlite3.connect(path)) as connection:
                (version,) = connection.execute('PRAGMA user_version').fetchone()
                databases[name] = {'user_version': version, 'script': '\n'.join(connection.iterdump())}
        elif not re.search(r'-(wal|shm|journal)$', name):
            files[name] = base64.b64encode(path.read_bytes()).decode()
    return {'databases': databases, 'files': files}


def _files(top: Path) -> list[Path]:
    return [top] if top.is_file() else [path for path in top.rglob('*') if path.is_file()]


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as directory:
        text = json.dumps(make(Path(directory)), indent=1, sort_keys=True)
    DATA.mkdir(exist_ok=True)
    (DATA / f'{sys.argv[1]}.json').write_text(text + '\n')
