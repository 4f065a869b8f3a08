"""Cost of one look-up among many records against the same among few, in process."""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text
from transaction import TransactionManager

from fsp_pyramid import main as make_bridge
from fsp_pyramid.accounts.database import Database
from fsp_pyramid.accounts.encryption import TokenCipher
from fsp_pyramid.accounts.store import AccountStore
from fsp_pyramid.content.directory import CacheDirectory
from fsp_pyramid.content.index import ADD_COPY, Copy, Index, Version
from fsp_pyramid.egnyte.oauth import Tokens
from fsp_pyramid.testing import Sandbox

from .cpu import asking, settings
from .load import Effort, Row, compare
from .world import HOME, PNG

DOMAIN, ACCOUNT = 'https://acme.egnyte.com', 'fsp'
PICTURES = 100
COPY_ACCOUNT = """
WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
INSERT INTO fsp_accounts
    (client, client_id, uid, egnyte_url, username, sealed, expires_at, state, folder, created_at, updated_at)
SELECT client, client_id, 'user' || n, egnyte_url, username, sealed, expires_at, state, folder, created_at, updated_at
FROM fsp_accounts, numbers WHERE id = 1
"""


def rows(directory: Path, effort: Effort) -> Iterator[Row]:
    """Measure look-ups of public files and of accounts."""
    few_files, many_files = (1_000, 1_000_000) if effort.seconds else (100, 1_000)
    few_accounts, many_accounts = (10, 10_000) if effort.seconds else (10, 100)
    what = 'request for a public picture, {:,} files known'
    yield compared(what, few_files, many_files, lambda count: files(directory / f'files{count}', count), effort)
    what = 'look-up of an account, {:,} connected'
    yield compared(what, few_accounts, many_accounts, lambda count: accounts(directory, count), effort)


def compared(what: str, few: int, many: int, make: Callable[[int], Callable[[], object]], effort: Effort) -> Row:
    """Return the row of a look-up among *many* against one among *few*; *what* has a place for the number."""
    in_few, in_many = make(few), make(many)
    times = 2000 if effort.seconds else 20
    ours, theirs = compare(effort, lambda: mean(in_many, times), lambda: mean(in_few, times))
    return Row(what.format(many), f'{few:,}', 'ms', ours, theirs)


def mean(look_up: Callable[[], object], times: int) -> float:
    """Return the mean time of a look-up, in milliseconds."""
    begun = time.perf_counter()
    for _ in range(times):
        look_up()
    return (time.perf_counter() - begun) / times * 1000


def files(directory: Path, count: int) -> Callable[[], object]:
    """Return a request for one of a few pictures that are in the cache, with *count* other files in the index."""
    sandbox, cache = Sandbox(directory / 'egnyte'), directory / 'cache'
    for number in range(PICTURES):
        sandbox.upload(f'{HOME}/list/{number}.png', PNG + bytes((number,)))
    application = make_bridge({}, **settings(directory), **{'fsp.public.cache_dir': str(cache)})
    items = json.loads(asking(application, '/fsp/')())['data']['items']
    requests = [asking(application, urlsplit(item['public-url']).path) for item in items]
    for request in requests:
        request()
    fill(Index(CacheDirectory(str(cache))), count)

    def request_any() -> object:
        return random.choice(requests)()

    return request_any


def fill(index: Index, count: int) -> None:
    """Record *count* files, with a copy of each. Sorted, because random ones take many times as long to insert."""
    ids, now = sorted(str(uuid.uuid4()) for _ in range(count)), time.time()
    index.record_versions(DOMAIN, (Version(one, f'v{one}', '', 200_000, 0, f'{one}.png', now) for one in ids))
    copies = (Copy(ACCOUNT, one, f'v{one}', '', 200_000, 0, 'image/png', now) for one in ids)
    with index._pool.transaction() as connection:
        connection.executemany(ADD_COPY, sorted((copy.key, *copy) for copy in copies))


def accounts(directory: Path, count: int) -> Callable[[], object]:
    """Return a look-up of an account among *count*, as each request of the protocol makes it."""
    url = f'sqlite:///{directory}/accounts{count}.sqlite'
    database, manager = Database(url), TransactionManager(explicit=True)
    store = AccountStore(database.sessions(manager), TokenCipher((Fernet.generate_key().decode(),)), time.time)
    with manager:
        store.connect('fsp', 'client', 'user1', DOMAIN, 'ann', Tokens('access', 'refresh', time.time() + 86400))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(COPY_ACCOUNT), {'count': count})
    engine.dispose()

    def look_up() -> object:
        with manager:
            return store.find('fsp', 'client', 'user1') or missing()

    return look_up


def missing() -> None:
    """Fail: each record that is looked up exists."""
    raise RuntimeError('a record is missing')
