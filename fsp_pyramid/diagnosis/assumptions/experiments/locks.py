"""Locks, of the token's user and of another one."""

from collections.abc import Iterator

from ....egnyte.transport import succeeded
from ..experiment import experiment
from ..lab import Lab, body_of
from ..model import Finding, NotTried


@experiment(4, 'locks.lock', 'locks.own', 'locks.wrong-token', 'locks.unlock')
def own(lab: Lab) -> Iterator[Finding]:
    response = lab.action('file.txt', 'lock')
    yield lab.finding('locks.lock', {'lock_token', 'timeout'} <= body_of(response).keys(), response)
    if not succeeded(response):
        raise NotTried('the file could not be locked')
    response = lab.upload('file.txt', b'by the owner of the lock')
    yield lab.finding('locks.own', succeeded(response), response)
    response = lab.action('file.txt', 'unlock', lock_token='wrong')  # noqa: S106 - that is the point
    yield lab.finding('locks.wrong-token', response.status_code == 404, response)
    response = lab.action('file.txt', 'unlock')
    yield lab.finding('locks.unlock', succeeded(response), response)


@experiment(3, 'locks.other')
def other(lab: Lab) -> Iterator[Finding]:
    if lab.second is None:
        raise NotTried('it needs another user: a second client with a token of its own')
    response = lab.action('file.txt', 'lock', lab.second)
    if not succeeded(response):
        raise NotTried(f'the other user may not lock the file (status {response.status_code})')
    try:
        response = lab.upload('file.txt', b'by another user')
        fits = '' if succeeded(response) else str(response.status_code)
        yield lab.finding('locks.other', response.status_code == 403, response, fits=fits)
    finally:
        lab.action('file.txt', 'unlock', lab.second)
