"""Locks by key."""

import threading
from contextlib import suppress

from fsp_pyramid.storage.locks import Locks


def test_one_at_a_time_for_one_key_and_no_lock_is_left() -> None:
    locks, inside, most = Locks(), 0, 0

    def work(*keys: str) -> None:
        nonlocal inside, most
        for _ in range(200):
            with locks.hold(*keys):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work, args=keys) for keys in (('a', 'b'), ('b', 'a'), ('b', 'b'), ('b',))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 1
    assert locks._locks == {}


def test_other_keys_do_not_wait() -> None:
    locks, entered = Locks(), threading.Event()

    def enter() -> None:
        with locks.hold('b'):
            entered.set()

    with locks.hold('a'):
        thread = threading.Thread(target=enter)
        thread.start()
        assert entered.wait(timeout=20)
        thread.join()


def test_a_lock_is_free_after_an_error() -> None:
    locks = Locks()
    for _ in range(2):
        with suppress(ZeroDivisionError), locks.hold('a'):
            _ = 1 / 0
    assert locks._locks == {}
