"""Four processes with one token, on each shared rate store at the same time."""

import hashlib
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from fsp_pyramid.backends import redis_client
from fsp_pyramid.egnyte import RateLimiter
from fsp_pyramid.egnyte.rate_rules import CLOSEST, WINDOW, TokenUsage
from fsp_pyramid.rate_stores.redis import PREFIX

from ..timing import PATIENCE
from .backends import SHARED, backend_url, rate_store_at

PROCESSES, CALLS = 4, 2
LATE = CLOSEST - 1.001


class Granted(NamedTuple):
    """Granted call: its time, its slot by the store's clock (here, this machine's), and its process.

    *waited* is the time from the reservation to the slot.
    """

    at: float
    slot: float
    waited: float
    process: int


def call(url: str, token: str, barrier: Any, process: int) -> list[Granted]:
    with rate_store_at(url) as rate_store:
        rate_limiter = RateLimiter(rate_store)
        rate_limiter.usage(token)  # connects
        barrier.wait(PATIENCE)
        calls = [(rate_limiter.acquire(token, 120), time.time()) for _ in range(CALLS)]
        return [Granted(at, permit.reservation.at, permit.waited, process) for permit, at in calls]


def process(urls: list[str], token: str, barrier: Any, number: int, results: Any) -> None:
    with ThreadPoolExecutor(len(urls)) as threads:
        results.put(list(threads.map(lambda url: call(url, token, barrier, number), urls)))


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(backend_url(backend, tmp_path)) for backend in SHARED]


def test_processes_share_a_token(urls: list[str]) -> None:
    context, token = multiprocessing.get_context('spawn'), uuid4().hex
    barrier, results = context.Barrier(PROCESSES * len(urls)), context.Queue()
    processes = [
        context.Process(target=process, args=(urls, token, barrier, number, results)) for number in range(PROCESSES)
    ]
    for one in processes:
        one.start()
    results_by_process = [results.get(timeout=PATIENCE) for _ in processes]
    for one in processes:
        one.join(PATIENCE)
    for url, backend, found in zip(urls, SHARED, zip(*results_by_process, strict=True), strict=True):
        with rate_store_at(url) as rate_store:
            record, _ = rate_store.get(hashlib.sha256(token.encode()).hexdigest())
        check(backend, sorted(granted for of_process in found for granted in of_process), record)
    client = redis_client(urls[SHARED.index('redis')])
    client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest())
    client.close()


def check(backend: str, calls: list[Granted], record: TokenUsage) -> None:
    assert PROCESSES * CALLS == len(calls) == record.given, backend
    assert {permit.process for permit in calls} == set(range(PROCESSES)), backend
    assert all(permit.at >= permit.slot - 0.001 for permit in calls), backend
    slots = sorted(permit.slot for permit in calls)
    for first, third in zip(slots, slots[2:], strict=False):
        assert third - first >= WINDOW - 1e-6, backend
    # Delays of a busy machine between the start of a call and the reading of the clock are ignored.
    for three in zip(calls, calls[1:], calls[2:], strict=False):
        late = any(permit.at - permit.slot >= LATE for permit in three)
        assert late or three[2].at - three[0].at > 1, backend
    # The full rate of two a second: no call waits longer than all of them take.
    assert max(permit.waited for permit in calls) <= WINDOW * len(calls) / 2, backend
