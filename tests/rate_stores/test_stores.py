"""Contract of all rate stores."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import (
    Priority,
    QuotaExceeded,
    RateLimiter,
    RateStore,
)
from fsp_pyramid.egnyte.rate_rules import Reservation, TokenUsage
from fsp_pyramid.egnyte.rate_store import LIFETIME
from fsp_pyramid.rate_stores import database
from fsp_pyramid.rate_stores.compare_and_swap import CompareAndSwapStore
from fsp_pyramid.rate_stores.redis import PREFIX

from .backends import rate_store_at


def take(record: TokenUsage, now: float) -> Reservation:
    return record.reserve(record.next_slot(now, 1000, Priority.READ, 0.1), now)


def test_new_token_has_a_default_record(rate_store: RateStore, key: str) -> None:
    record, now = rate_store.get(key)
    assert (record.qps, record.daily, record.used(now), record.slots) == (2, 1000, 0, ())
    assert abs(now - time.time()) < 60


def test_updates_are_stored(rate_store: RateStore, key: str) -> None:
    slots = [rate_store.update(key, take) for _ in range(3)]
    record, now = rate_store.get(key)
    assert [slot.number for slot in slots] == [1, 2, 3]
    assert record.slots == tuple(slot.at for slot in slots)[-2:]
    assert record.used(now) == 3
    assert record.changed <= now


def test_failed_update_changes_nothing(rate_store: RateStore, key: str) -> None:
    def fail(record: TokenUsage, _now: float) -> None:
        record.given = 99
        raise RuntimeError

    for _ in range(2):  # without a record, and with one
        before = rate_store.get(key)[0].given
        with pytest.raises(RuntimeError):
            rate_store.update(key, fail)
        assert rate_store.get(key)[0].given == before
        rate_store.update(key, take)


def test_concurrent_updates_get_distinct_numbers(rate_store: RateStore, key: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        slots = list(threads.map(lambda _: rate_store.update(key, take), range(80)))
    assert sorted(slot.number for slot in slots) == list(range(1, 81))
    in_order = sorted(slots, key=lambda slot: slot.number)
    assert in_order == sorted(slots)  # by time
    for first, third in zip(in_order, in_order[2:], strict=False):
        assert third.at - first.at > 1


def test_store_serves_a_rate_limiter(rate_store: RateStore, token: str) -> None:
    rate_limiter = RateLimiter(rate_store)
    first, second = rate_limiter.acquire(token, 100), rate_limiter.acquire(token, 100)
    rate_limiter.observe(first, {'X-Accesstoken-Quota-Current': '70', 'X-Accesstoken-Quota-Allotted': '500'})
    assert rate_limiter.usage(token)[:2] == (71, 500)
    rate_limiter.observe(second, None)
    rate_limiter.observe(rate_limiter.acquire(token, 100), {'X-Accesstoken-Quota-Current': '71'})
    assert rate_limiter.usage(token)[:2] == (71, 500)
    rate_limiter.block(token, 3000)
    with pytest.raises(QuotaExceeded) as caught:
        rate_limiter.acquire(token, 1000)
    assert 2000 < caught.value.wait <= 3000
    assert rate_limiter.usage(token).used == 71


def test_two_stores_share_records(shared: RateStore, shared_url: str, key: str) -> None:
    with rate_store_at(shared_url) as other:
        assert [one.update(key, take).number for one in (shared, other, shared)] == [1, 2, 3]
        assert other.get(key)[0] == shared.get(key)[0]


def test_unreadable_record_is_replaced(shared: CompareAndSwapStore, key: str) -> None:
    for nonsense in ('nonsense', '[]', '{"slots": 1}', '{"of": "another version", "slots": []}'):
        before, now = shared._read(key)
        assert shared._swap(key, before, nonsense, now)
        assert shared.get(key)[0].given == 0
        assert shared.update(key, take).number == 1


def test_get_writes_nothing(shared: CompareAndSwapStore, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.update(key, take)
    before = shared._read(key)[0]
    monkeypatch.setattr(shared, '_swap', None)
    shared.get(key)
    assert shared.update(key, lambda record, _now: record.given) == 1
    assert shared._read(key)[0] == before


def test_outdated_swap_is_refused(shared: CompareAndSwapStore, key: str) -> None:
    before, now = shared._read(key)
    shared.update(key, take)
    assert not shared._swap(key, before, 'x', now)
    before, now = shared._read(key)
    shared.update(key, take)
    assert not shared._swap(key, before, 'x', now)


def test_time_is_that_of_the_store(
    shared: RateStore, shared_url: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.get(key)
    monkeypatch.setattr(database.time, 'time', lambda: 1.0)
    assert (shared.get(key)[1] == 1) == shared_url.startswith('sqlite')


def test_tokens_are_not_stored(shared: RateStore, shared_url: str, token: str, key: str) -> None:
    RateLimiter(shared).acquire(token, 0)
    if shared_url.startswith('redis'):
        client = redis_client(shared_url)
        found = client.get(PREFIX + key).decode()
        assert 0 < client.ttl(PREFIX + key) <= LIFETIME
        client.close()
    else:
        engine = create_engine(shared_url)
        with engine.connect() as connection:
            ((found_key, found, _),) = connection.execute(text('SELECT * FROM fsp_pace')).all()
        engine.dispose()
        assert found_key == key
    assert '"daily":1000' in found
    assert token not in found


def test_rows_of_old_tokens_are_deleted(shared: RateStore, shared_url: str, key: str) -> None:
    if shared_url.startswith('redis'):
        pytest.skip('Redis does it itself')
    shared.update(key, take)
    engine = create_engine(shared_url)
    rows = text('SELECT key FROM fsp_pace')
    age = text('UPDATE fsp_pace SET changed_at = changed_at - :seconds WHERE key != :but')
    with engine.begin() as connection:
        connection.execute(age, {'seconds': LIFETIME - 60, 'but': ''})
    shared.update('second', take)
    with engine.begin() as connection:
        assert len(connection.execute(rows).all()) == 2
        connection.execute(age, {'seconds': 120, 'but': 'second'})
    shared.update('third', take)
    with engine.begin() as connection:
        assert sorted(connection.scalars(rows)) == ['second', 'third']
    engine.dispose()
