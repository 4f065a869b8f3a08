"""Names: those that must work, those that must be refused, case and Unicode forms."""

import unicodedata
from collections.abc import Iterator

from ....egnyte.transport import succeeded
from ..experiment import experiment
from ..lab import Lab, body_of
from ..model import Finding, NotTried

# In its composed form.
SPECIAL = "Iñtërnâtiôn Русские +50% #1 & _~!$'(),;=@.txt"
REFUSED = {
    'names.characters': 'colon:star*.txt',
    'names.trailing-dot': 'danglingdot.',
    'names.suffix': 'spam.tmp',
    'names.emoji': 'smile \N{GRINNING FACE}.txt',
    'names.length': 'x' * 246,
}


@experiment(2, 'names.special')
def special(lab: Lab) -> Iterator[Finding]:
    lab.upload(SPECIAL, b'text')
    response = lab.stat(SPECIAL)
    is_same = body_of(response).get('name') == SPECIAL
    if is_same:
        lab.facts['special'] = 'stored'
    yield lab.finding('names.special', is_same, response)


@experiment(len(REFUSED), *REFUSED)
def refused(lab: Lab) -> Iterator[Finding]:
    for name, file in REFUSED.items():
        response = lab.upload(file, b'text')
        status = response.status_code
        if name == 'names.characters':
            yield lab.finding(name, status == 400, response, fits='' if succeeded(response) else str(status))
        else:
            yield lab.finding(name, 400 <= status < 500, response)


@experiment(1, 'names.case')
def case(lab: Lab) -> Iterator[Finding]:
    if 'file' not in lab.facts:
        raise NotTried('the file of an earlier experiment is missing')
    response = lab.stat('FILE.TXT')
    yield lab.finding('names.case', succeeded(response), response, fits='True')


@experiment(1, 'names.unicode')
def forms(lab: Lab) -> Iterator[Finding]:
    if 'special' not in lab.facts:
        raise NotTried('the file of an earlier experiment is missing')
    response = lab.stat(unicodedata.normalize('NFD', SPECIAL))
    yield lab.finding('names.unicode', response.status_code == 404, response, fits='True')
