"""Slots for downloads, and a share of them for each user."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from fsp_pyramid.concurrency import shares as module
from fsp_pyramid.concurrency.shares import Shares
from fsp_pyramid.errors import Busy

from ..timing import PATIENCE


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_user_gets_a_share_and_others_get_the_rest() -> None:
    shares = Shares(12, share=4, waiting=0)
    with ExitStack() as held:
        for user in ('u1', 'u2', 'u3'):
            for _ in range(4):
                held.enter_context(shares.take(user))
            with pytest.raises(Busy) as caught, shares.take(user):
                pytest.fail('that is more than a share')
            assert caught.value.retry_after
        assert shares.taken == 12
        with pytest.raises(Busy), shares.take('u4'):
            pytest.fail('there is no slot left')
    assert shares.taken == 0
    with shares.take('u4'):
        pass


def test_who_waits_gets_the_next_slot_and_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'WAIT', 60)
    shares, go = Shares(2, share=1, waiting=1), threading.Event()

    def use(user: str) -> str:
        with shares.take(user):
            assert go.wait(PATIENCE)
            return user

    with ThreadPoolExecutor(1) as pool:
        with shares.take('u1'):
            waiting = pool.submit(use, 'u1')
            until(lambda: shares.waiting == 1)
            with pytest.raises(Busy), shares.take('u1'):
                pytest.fail('too many wait')
            with shares.take('u2'):  # of whom no download is there
                pass
        go.set()
        assert waiting.result(PATIENCE) == 'u1'
    assert (shares.taken, shares.waiting) == (0, 0)


def test_nobody_waits_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'WAIT', 0.01)
    shares = Shares(1, share=1, waiting=5)
    with shares.take('u1'), pytest.raises(Busy), shares.take('u2'):
        pytest.fail('there is no slot left')
    assert shares.waiting == 0
