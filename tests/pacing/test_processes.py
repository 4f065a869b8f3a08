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

from fsp_pyramid.egnyte import Pace
from fsp_pyramid.egnyte.pace import LATE
from fsp_pyramid.egnyte.slots import WINDOW
from fsp_pyramid.pacing.redis import PREFIX
from fsp_pyramid.shared import redis_client

from .backends import SHARED, ledger_at, place

PROCESSES, TURNS = 4, 2


class Granted(NamedTuple):
    """A turn: when its slot was, by the ledger's clock (here, this machine's), and when it was really there."""

    slot: float
    at: float
    process: int


def call(url: str, token: str, barrier: Any, process: int) -> list[Granted]:
    with ledger_at(url) as ledger:
        pace = Pace(ledger)
        pace.usage(token)  # connects
        barrier.wait(120)
        return [Granted(pace.turn(token, 120).slot.at, time.time(), process) for _ in range(TURNS)]


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
    told = [results.get(timeout=240) for _ in processes]
    for one in processes:
        one.join(60)
    for url, backend, found in zip(urls, SHARED, zip(*told, strict=True), strict=True):
        with ledger_at(url) as ledger:
            given = ledger.look(hashlib.sha256(token.encode()).hexdigest())[0].given
        check(backend, sorted(granted for of_process in found for granted in of_process), given)
    client = redis_client(urls[SHARED.index('redis')])
    client.delete(PREFIX + hashlib.sha256(token.encode()).hexdigest())
    client.close()


def check(backend: str, turns: list[Granted], given: int) -> None:
    # A slot that comes and finds nobody, because the machine is busy, is given up once.
    assert PROCESSES * TURNS == len(turns) <= given <= 2 * len(turns)
    assert {turn.process for turn in turns} == set(range(PROCESSES)), backend
    for first, third in zip(turns, turns[2:], strict=False):
        assert third.slot - first.slot >= WINDOW - 1e-6, backend
    assert all(turn.at >= turn.slot for turn in turns), backend
    # In real time as well; whom this machine held up twice is late, and proves nothing.
    prompt = [turn.at for turn in turns if turn.at - turn.slot <= LATE]
    for first, third in zip(prompt, prompt[2:], strict=False):
        assert third - first > 1, backend
    # As fast as two in a second can be, and two seconds for processes that do not all begin at once.
    assert turns[-1].slot - turns[0].slot <= WINDOW * given / 2 + 2, backend
