"""Moves and copies."""

from collections.abc import Iterator

from ....egnyte.transport import succeeded
from ..experiment import experiment
from ..lab import FS, Lab, body_of
from ..model import Finding, NotTried


@experiment(3, 'moves.ids')
def ids(lab: Lab) -> Iterator[Finding]:
    lab.facts['moved'] = lab.file_id('source.txt')
    response = lab.action('source.txt', 'move', destination=f'{lab.path}/a/moved.txt')
    found = lab.call('GET', f'{FS}/ids/file/{lab.facts["moved"]}')
    path = str(body_of(found).get('path', ''))
    holds = succeeded(response) and path.lower() == f'{lab.path}/a/moved.txt'.lower()
    yield lab.finding('moves.ids', holds, found if succeeded(response) else response)


@experiment(3, 'moves.taken', 'moves.parents')
def destinations(lab: Lab) -> Iterator[Finding]:
    lab.file_id('other.txt')
    response = lab.action('other.txt', 'move', destination=f'{lab.path}/a/moved.txt')
    fits = '' if succeeded(response) else str(response.status_code)
    yield lab.finding('moves.taken', response.status_code == 403, response, fits=fits)
    if succeeded(response):
        raise NotTried('the file was moved onto another one')
    response = lab.action('other.txt', 'move', destination=f'{lab.path}/absent/other.txt')
    yield lab.finding('moves.parents', succeeded(response), response, fits='True')


@experiment(2, 'moves.missing', 'moves.unknown-keys')
def refused(lab: Lab) -> Iterator[Finding]:
    response = lab.action('missing.txt', 'move', destination=f'{lab.path}/a/missing.txt')
    yield lab.finding('moves.missing', response.status_code == 404, response)
    response = lab.action('a/moved.txt', 'move', destination=f'{lab.path}/a/moved.txt', new_name='again.txt')
    yield lab.finding('moves.unknown-keys', response.status_code == 400, response)


@experiment(2, 'moves.copy')
def copy(lab: Lab) -> Iterator[Finding]:
    response = lab.action('a/moved.txt', 'copy', destination=f'{lab.path}/a/copy.txt')
    copied = body_of(lab.stat('a/copy.txt')).get('group_id')
    yield lab.finding('moves.copy', succeeded(response) and copied not in {None, lab.facts.get('moved')}, response)
