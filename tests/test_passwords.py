"""Passwords of clients."""

import pytest

from fsp_pyramid import passwords
from fsp_pyramid.passwords import Passwords, hash_password, is_hash


class Counting:
    """How often an argon2 hash was verified."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        verifies = passwords._verifies

        def counting(stored: str, password: str) -> bool:
            self.times += 1
            return verifies(stored, password)

        monkeypatch.setattr(passwords, '_verifies', counting)


@pytest.mark.parametrize('hashed', [False, True])
def test_the_right_one(hashed: bool) -> None:
    checked = Passwords({'acme': hash_password('secret:ü') if hashed else 'secret:ü', 'shop': 'other'})
    assert checked.check('acme', 'secret:ü')
    assert checked.check('shop', 'other')
    for user, password in (('acme', 'other'), ('shop', 'secret:ü'), ('acme', ''), ('nobody', 'other'), ('', '')):
        assert not checked.check(user, password)


def test_a_verified_pair_is_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_who_is_unknown_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = Passwords({'acme': hash_password('secret'), 'plain': 'secret'})
    counting = Counting(monkeypatch)
    for user in ('acme', 'plain', 'nobody'):
        assert not checked.check(user, 'wrong')
    assert counting.times == 3


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
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
