"""Locks on files."""

import pytest

from .api import Api
from .conftest import Clock

FILE = '/Private/alice/a.txt'


@pytest.fixture
def alice(api: Api) -> Api:
    api.by('alice').upload(FILE)
    return api.by('alice')


def test_a_lock_is_seen(alice: Api) -> None:
    assert alice.act(FILE, 'lock', lock_token='1234567890', collaboration='draft') == {
        'lock_token': '1234567890',
        'timeout': 3600,
    }
    owner = {'owner_id': 2, 'first_name': 'Alice', 'last_name': 'Adams', 'email': 'alice@example.com'}
    file = alice.fs(FILE, {'include_locks': 'true'})
    assert (file['locked'], file['lock_info']) == (True, owner)
    listed = alice.fs('/Private/alice', {'include_locks': 'True', 'include_collaboration': 'true'})['files'][0]
    assert listed['lock_info'] == owner | {'collaboration': 'draft'}
    assert 'lock_info' not in alice.fs(FILE)


def test_others_have_to_wait(api: Api, alice: Api) -> None:
    alice.act(FILE, 'lock')
    api.upload(FILE, status=403)
    api.delete(f'fs{FILE}', status=403)
    api.act(FILE, 'move', destination='/Private/alice/b.txt', status=403)
    api.act(FILE, 'lock', status=403)
    alice.mkdir('/Private/alice/sub')
    alice.act(FILE, 'move', destination='/Private/alice/sub/a.txt')
    api.delete('fs/Private/alice/sub', status=403)
    alice.upload('/Private/alice/sub/a.txt')
    api.act('/Private/alice/sub/a.txt', 'copy', destination='/Private/alice/c.txt')


def test_a_lock_runs_out(api: Api, alice: Api, clock: Clock) -> None:
    alice.act(FILE, 'lock', lock_timeout=60)
    clock.now += 60
    assert alice.fs(FILE, {'include_locks': 'true'})['locked'] is False
    api.upload(FILE)
    alice.act(FILE, 'unlock', status=404)


def test_renewing_needs_the_token(alice: Api) -> None:
    token = alice.act(FILE, 'lock', lock_timeout=60)['lock_token']
    alice.act(FILE, 'lock', status=403)
    alice.act(FILE, 'lock', lock_token='other', status=403)
    assert alice.act(FILE, 'lock', lock_token=token)['timeout'] == 3600


def test_unlocking(api: Api, alice: Api) -> None:
    token = alice.act(FILE, 'lock')['lock_token']
    assert 'errorMessage' in alice.act(FILE, 'unlock', lock_token='wrong', status=404)
    api.act(FILE, 'unlock', status=403)
    api.act(FILE, 'unlock', lock_token=token)
    alice.act(FILE, 'lock')
    alice.act(FILE, 'unlock')
    assert alice.fs(FILE)['locked'] is False


def test_acting_for_somebody_takes_their_lock(api: Api, alice: Api) -> None:
    api.post(f'fs{FILE}', {'action': 'lock'}, X_Egnyte_Act_As='alice')
    alice.act(FILE, 'unlock')


def test_only_files_are_locked(alice: Api) -> None:
    alice.act('/Private/alice', 'lock', status=403)
    alice.act(FILE, 'lock', lock_timeout=0, status=400)
    alice.act(FILE, 'lock', colour='red', status=400)
