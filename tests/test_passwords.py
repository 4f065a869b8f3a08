"""Passwords of clients."""

import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from fsp_pyramid import main, passwords
from fsp_pyramid.concurrency.bulkhead import BulkheadFull
from fsp_pyramid.passwords import Passwords, hash_password, is_hash

from .timing import PATIENCE


@pytest.fixture
def make_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Make an application over an empty Egnyte, whose ini file has a hash."""
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    settings = {
        'fsp.username': 'beefree',
        'fsp.password': hash_password('secret'),
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }
    return lambda: main({}, **settings)


class Counting:
    """Count verifications of argon2 hashes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        verifies = passwords._verifies

        def counting(stored: str, password: str) -> bool:
            self.times += 1
            return verifies(stored, password)

        monkeypatch.setattr(passwords, '_verifies', counting)


@pytest.mark.parametrize('hashed', [False, True])
def test_right_password_is_accepted(hashed: bool) -> None:
    checked = Passwords({'acme': hash_password('secret:ü') if hashed else 'secret:ü', 'shop': 'other'})
    assert checked.check('acme', 'secret:ü')
    assert checked.check('shop', 'other')
    for user, password in (('acme', 'other'), ('shop', 'secret:ü'), ('acme', ''), ('nobody', 'other'), ('', '')):
        assert not checked.check(user, password)


def test_verified_pair_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, now = Counting(monkeypatch), 0.0
    checked = Passwords({'acme': hash_password('secret')}, clock=lambda: now)
    assert [checked.check('acme', 'secret') for _ in range(3)] == [True] * 3
    assert counting.times == 1
    assert not checked.check('acme', 'secrets')
    assert not checked.check('acmes', 'ecret')
    assert counting.times == 3
    now = 60.0
    assert checked.check('acme', 'secret')
    assert counting.times == 4


def test_unknown_user_costs_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Passwords({'acme': hash_password('secret'), 'plain': 'secret'})
    counting = Counting(monkeypatch)
    for user in ('acme', 'plain', 'nobody'):
        assert not checked.check(user, 'wrong')
    assert counting.times == 3


def test_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, 'MAX_REMEMBERED', 1)
    counting = Counting(monkeypatch)
    checked = Passwords({'a': hash_password('1'), 'b': hash_password('2')})
    for _ in range(2):
        assert checked.check('a', '1')
        assert checked.check('b', '2')
    assert counting.times == 4


def test_hashes() -> None:
    made = hash_password('secret')
    assert made.startswith('$argon2id$v=19$m=19456,t=2,p=1$')
    assert made != hash_password('secret')
    assert is_hash(made)
    assert not is_hash('$argon2id$broken')
    assert not is_hash('secret')
    with pytest.raises(ValueError, match='not empty'):
        hash_password('')


class Verifying:
    """Verifications that block until they are released, with the maximum of concurrent ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = self.highest = self.total = 0
        self._guard, self._go = threading.Condition(), threading.Event()
        verifies = passwords._verifies

        def verifying(stored: str, password: str) -> bool:
            with self._guard:
                self.running += 1
                self.total += 1
                self.highest = max(self.highest, self.running)
                self._guard.notify_all()
            try:
                self._go.wait(PATIENCE)
                return verifies(stored, password)
            finally:
                with self._guard:
                    self.running -= 1

        monkeypatch.setattr(passwords, '_verifies', verifying)

    def wait_for(self, running: int) -> None:
        with self._guard:
            assert self._guard.wait_for(lambda: self.running >= running, 30)

    def go(self) -> None:
        self._go.set()


@contextmanager
def attempts(*calls: Callable[[], object]) -> Iterator[list[object]]:
    """Give the results of calls, each in a thread of its own; complete after the context."""
    outcomes: list[object] = []

    def attempt(call: Callable[[], object]) -> None:
        try:
            outcomes.append(call())
        except BulkheadFull:
            outcomes.append(BulkheadFull)

    threads = [threading.Thread(target=attempt, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        for thread in threads:
            thread.join()


def test_flood_of_wrong_passwords_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Passwords({'acme': hash_password('secret')})
    assert checked.check('acme', 'secret')
    verifying = Verifying(monkeypatch)
    flood = [partial(checked.check, 'acme', f'wrong {number}', f'address {number}') for number in range(64)]
    with attempts(*flood) as outcomes:
        verifying.wait_for(passwords.CHECKS)
        assert checked.check('acme', 'secret')  # it is remembered, so it waits for none of them
        assert verifying.running == passwords.CHECKS
        verifying.go()
    assert verifying.highest == passwords.CHECKS
    assert outcomes.count(False) + outcomes.count(BulkheadFull) == 64
    assert BulkheadFull in outcomes


ROUNDS = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from fsp_pyramid.passwords import Passwords, hash_password

def resident():
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096

checked, threads = Passwords({'acme': hash_password('secret')}), int(sys.argv[1])
turn, before = threading.Barrier(threads), resident()
with ThreadPoolExecutor(threads) as pool:
    def check(number):
        turn.wait()  # each in a thread of its own
        with one_at_a_time:
            assert not checked.check('acme', str(number))
    one_at_a_time = threading.Lock()
    list(pool.map(check, range(threads)))
    print((resident() - before) >> 20)
"""


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='only Linux shows the memory of a process')
def test_threads_keep_no_memory_of_verifications() -> None:
    """Each of 16 threads kept 19 MiB: the allocator has a pool for each."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', ROUNDS, '16'], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 19 * (passwords.CHECKS + 1)


def test_verification_works_after_a_fork() -> None:
    """The threads of the parent do not exist in a worker of a server that forks."""
    code = (
        'import os; from fsp_pyramid.passwords import Passwords, hash_password\n'
        'checked = Passwords({"acme": hash_password("secret")})\n'
        'assert checked.check("acme", "secret")\n'
        'child = os.fork()\n'
        'if child == 0: os._exit(7 if not checked.check("acme", "other") else 1)\n'
        'assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7'
    )
    subprocess.run([sys.executable, '-W', 'ignore', '-c', code], check=True, timeout=PATIENCE)


def test_address_gets_its_share_only(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Passwords({'acme': hash_password('secret')})
    verifying = Verifying(monkeypatch)
    # No call of the flood waits so long that it gives up its place.
    monkeypatch.setattr(passwords._limiter, '_patience', 30.0)
    flood = [partial(checked.check, 'acme', f'wrong {number}', 'stranger') for number in range(64)]
    with attempts(*flood) as outcomes:
        verifying.wait_for(passwords.CHECKS)
        with attempts(partial(checked.check, 'acme', 'secret', 'elsewhere')) as right:
            verifying.go()
    assert right == [True]
    assert BulkheadFull in outcomes


def test_same_pair_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart, many requests arrive with the same password, which is not cached yet."""
    checked = Passwords({'acme': hash_password('secret')})
    verifying = Verifying(monkeypatch)
    with attempts(*[partial(checked.check, 'acme', 'secret')] * 40) as outcomes:
        verifying.wait_for(1)
        verifying.go()
    assert outcomes == [True] * 40
    assert verifying.highest == 1


def test_pair_in_use_stays_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    counting, now = Counting(monkeypatch), 0.0
    checked = Passwords({'acme': hash_password('secret')}, clock=lambda: now)
    for _ in range(4):
        assert checked.check('acme', 'secret')
        now += 40.0
    assert counting.times == 1


def test_known_and_unknown_names_wait_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood must not reveal users: known and unknown ones are refused, and verified."""
    checked = Passwords({'acme': hash_password('secret')})
    verifying = Verifying(monkeypatch)
    monkeypatch.setattr(passwords._limiter, '_patience', 0.0)
    flood = [partial(checked.check, 'acme', f'wrong {number}', f'address {number}') for number in range(8)]
    with attempts(*flood):
        verifying.wait_for(passwords.CHECKS)
        for user in ('acme', 'nobody'):
            with pytest.raises(BulkheadFull):
                checked.check(user, 'wrong', 'elsewhere')
        verifying.go()
    before = verifying.total
    for user in ('acme', 'nobody'):
        assert not checked.check(user, 'wrong', 'elsewhere')
    assert verifying.total == before + 2


def test_unchecked_login_gets_retry_after(make_hashed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    app = TestApp(make_hashed())
    headers = {'X-BEE-ClientId': 'shop', 'X-BEE-Uid': 'demo'}

    def ask(password: str) -> Any:
        credentials = 'Basic ' + b64encode(f'beefree:{password}'.encode()).decode()
        return app.get('/fsp/', headers={**headers, 'Authorization': credentials}, expect_errors=True)

    assert ask('secret').status_int == 200
    verifying = Verifying(monkeypatch)
    with attempts(*[partial(ask, f'wrong {number}') for number in range(16)]) as answers:
        verifying.wait_for(passwords.CHECKS)
        assert ask('secret').status_int == 200
        verifying.go()
    assert {answer.status_int for answer in answers} == {401, 503}
    refused = next(answer for answer in answers if answer.status_int == 503)
    assert refused.json['code'] == 3904
    assert int(refused.headers['Retry-After']) > 0
    assert 'Please try again' in refused.json['details']
    assert ask('wrong').status_int == 401
