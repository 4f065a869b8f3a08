"""Four processes with one token, on each shared ledger at the same time."""

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
from .backends import SHARED, place, rate_store_at

PROCESSES, TURNS = 4, 2
LATE = CLOSEST - 1.001


class Granted(NamedTuple):
    """A turn: when it was there, its slot by the ledger's clock (here, this machine's), and whose it was.

    *waited* is the time from its reservation to its slot, as the ledger told it.
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
        turns = [(rate_limiter.acquire(token, 120), time.time()) for _ in range(TURNS)]
        return [Granted(at, turn.reservation.at, turn.waited, process) for turn, at in turns]


def process(urls: list[str], token: str, barrier: Any, number: int, results: Any) -> None:
    with ThreadPoolExecutor(len(urls)) as threads:
        results.put(list(threads.map(lambda url: call(url, token, barrier, number), urls)))


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[list[str]]:
    with ExitStack() as places:
        yield [places.enter_context(place(backend, tmp_path)) for backend in SHARED]


def test_processes_share_a_token(urls: list[str]) -> None:
    context, token = multiprocessing.get_context('spawn'), uuid4().hex
    barrier, results = context.Barrier(PROCESSES * len(urls)), context.Queue()
    processes = [
        context.Process(target=process, args=(urls, token, barrier, number, results)) for number in range(PROCESSES)
    ]
    for one in processes:
        one.start()
    told = [results.get(timeout=PATIENCE) for _ in processes]
    for one in processes:
        one.join(PATIENCE)
    for url, backend, found in zip(urls, SHARED, zip(*told, strict=True), strict=True):
        with rate_store_at(url) as rate_store:
            record, _ = rate_store.get(hashlib.sha256(token.encode()).hexdigest())
        check(backend, sorted(granted for of_process in found for granted in of_process), record)
    client = redis_client(urls[SHARED.index('redis')])
    client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest())
    client.close()


def check(backend: str, turns: list[Granted], record: TokenUsage) -> None:
    assert PROCESSES * TURNS == len(turns) == record.given, backend
    assert {turn.process for turn in turns} == set(range(PROCESSES)), backend
    assert all(turn.at >= turn.slot - 0.001 for turn in turns), backend
    slots = sorted(turn.slot for turn in turns)
    for first, third in zip(slots, slots[2:], strict=False):
        assert third - first >= WINDOW - 1e-6, backend
    # What a busy machine makes of a turn between its start and the look at the clock proves nothing.
    for three in zip(turns, turns[1:], turns[2:], strict=False):
        late = any(turn.at - turn.slot >= LATE for turn in three)
        assert late or three[2].at - three[0].at > 1, backend
    # As fast as two in a second can be: no turn waits longer than all of them take.
    assert max(turn.waited for turn in turns) <= WINDOW * len(turns) / 2, backend
