"""Rate store of an application, by its settings."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from webtest import TestApp

from fsp_pyramid import embedded, main
from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import Priority, RateLimiter
from fsp_pyramid.interfaces import IBackends
from fsp_pyramid.rate_stores.redis import PREFIX

from .. import services

HOST: dict[str, Engine] = {}
HEADERS = {'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'demo'}


def session_of(request: Any) -> Session:
    """Return a session, as a host's function in fsp.accounts.session does."""
    assert request.fsp
    return Session(HOST['engine'])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Return the dotted name of a host's session."""
    HOST['engine'] = create_engine(f'sqlite:///{tmp_path}/fsp.sqlite')
    yield f'{__name__}.session_of'
    HOST.pop('engine').dispose()


def application(directory: Path, **settings: str) -> TestApp:
    ini = {
        'fsp.username': 'u',
        'fsp.password': 'p',
        'fsp.egnyte.url': f'sandbox:{directory}/egnyte',
        'fsp.cache.ttl': '0',
    }
    ini |= {'tm.manager_hook': 'pyramid_tm.explicit_manager'}
    app = TestApp(main({}, **ini, **{f'fsp.{name}'.replace('__', '.'): value for name, value in settings.items()}))
    app.authorization = ('Basic', ('u', 'p'))
    return app


def rate_limiter_of(app: TestApp) -> RateLimiter:
    return app.app.registry.getUtility(IBackends).rate_limiter


def close(app: TestApp) -> None:
    rate_limiter_of(app)._rate_store._shared.close()


def keys(directory: Path) -> list[str]:
    database = sqlite3.connect(directory / 'fsp.sqlite')
    found = [key for (key,) in database.execute('SELECT key FROM fsp_pace')]
    database.close()
    return found


def test_writes_go_on_when_reads_are_refused(tmp_path: Path) -> None:
    app = application(tmp_path, pace__reserve='20')
    app.get('/fsp/', headers=HEADERS)
    rate_limiter = rate_limiter_of(app)
    quota = {'X-Accesstoken-Quota-Allotted': '1000', 'X-Accesstoken-Quota-Current': '810'}
    rate_limiter.observe(rate_limiter.acquire(embedded.TOKEN, 5, Priority.WRITE), quota)
    refused = app.get('/fsp/', headers=HEADERS, status=503)
    assert refused.json['code'] == 3903
    assert 'kept for changes' in refused.json['details']
    assert abs(int(refused.headers['Retry-After']) - rate_limiter.usage(embedded.TOKEN).resets_in) < 60
    # An upload lists before it writes.
    app.post('/fsp/new/', headers=HEADERS)


def test_database_of_our_own(tmp_path: Path) -> None:
    app = application(tmp_path, pace__backend='database', database_url=f'sqlite:///{tmp_path}/fsp.sqlite')
    assert not (tmp_path / 'fsp.sqlite').exists()
    app.get('/fsp/', headers=HEADERS)
    assert keys(tmp_path) == [hashlib.sha256(embedded.TOKEN.encode()).hexdigest()]
    close(app)


def test_database_of_a_host(tmp_path: Path, host: str) -> None:
    app = application(tmp_path, pace__backend='database', accounts__session=host)
    assert not (tmp_path / 'fsp.sqlite').exists()
    app.get('/fsp/', headers=HEADERS)
    assert len(keys(tmp_path)) == 1
    # The engine is known from then on, also outside of a request.
    rate_limiter_of(app).acquire('another token', 0)
    assert len(keys(tmp_path)) == 2
    close(app)


def test_redis(tmp_path: Path) -> None:
    url, token = services.redis(), uuid4().hex
    app = application(tmp_path, pace__backend='redis', redis_url=url)
    rate_limiter_of(app).acquire(token, 0)
    client = redis_client(url)
    assert client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest()) == 1
    client.close()


def test_invalid_url_stops_the_start_and_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'fsp\.database_url: this is no URL of a database') as caught:
        application(tmp_path, pace__backend='database', database_url='hush hush')
    assert 'hush' not in str(caught.value)


def test_mounts_share_the_rate_limiter(tmp_path: Path) -> None:
    config = Configurator(registry=application(tmp_path).app.registry)
    with pytest.raises(ConfigurationError, match='pace_reserve: all mounts'):
        config.add_fsp('other', '/other', pace_reserve='5')
