"""Deletions and the trash."""

from collections.abc import Iterator

from ....egnyte.transport import succeeded
from ..experiment import experiment
from ..lab import FS, Lab, body_of
from ..model import Finding, NotTried


@experiment(3, 'deletions.by-id', 'deletions.again')
def by_id(lab: Lab) -> Iterator[Finding]:
    lab.facts['deleted'] = lab.file_id('deleted.txt')
    path = f'{FS}/ids/file/{lab.facts["deleted"]}'
    response = lab.call('DELETE', path)
    yield lab.finding('deletions.by-id', response.status_code == 200, response)
    response = lab.call('DELETE', path)
    yield lab.finding('deletions.again', response.status_code == 404, response)


@experiment(2, 'deletions.version')
def version(lab: Lab) -> Iterator[Finding]:
    if 'old' not in lab.facts:
        raise NotTried('the file of an earlier experiment is missing')
    response = lab.call('DELETE', f'{FS}/ids/file/{lab.facts["file"]}', params={'entry_id': lab.facts['old']})
    left = body_of(lab.stat('file.txt'))
    is_gone = left.get('group_id') == lab.facts['file'] and lab.facts['old'] not in str(left.get('versions', ''))
    yield lab.finding('deletions.version', succeeded(response) and is_gone, response)


@experiment(2, 'deletions.tree')
def tree(lab: Lab) -> Iterator[Finding]:
    if not lab.facts.get('folder'):
        raise NotTried('the folder of an earlier experiment is missing')
    response = lab.call('DELETE', f'{FS}/ids/folder/{lab.facts["folder"]}')
    gone = lab.stat('list/b.txt').status_code == 404
    yield lab.finding('deletions.tree', succeeded(response) and gone, response)


@experiment(4, 'trash.access', 'trash.found', 'trash.restore')
def trash(lab: Lab) -> Iterator[Finding]:
    response = lab.call('GET', '/pubapi/v2/fs/trash', params={'count': 50})
    is_admin = lab.facts.get('type') == 'admin'
    if not is_admin:
        yield lab.finding('trash.access', not succeeded(response), response, fits='True')
    elif not succeeded(response):
        yield lab.finding('trash.access', False, response, 'an administrator may not see it')
    if not succeeded(response):
        raise NotTried(f'the user may not see the trash (status {response.status_code})')
    items = body_of(response).get('items')
    paths = {str(item.get('path')): item for item in items if isinstance(item, dict)} if isinstance(items, list) else {}
    found = paths.get(f'{lab.path}/deleted.txt')
    yield lab.finding('trash.found', found, response, f'{"found" if found else "not found"} among {len(paths)} items')
    if found:
        yield from _restore(lab, str(found.get('id')))
    if is_admin:
        raise NotTried('the user of the token is an administrator')


def _restore(lab: Lab, item_id: str) -> Iterator[Finding]:
    response = lab.call('POST', '/pubapi/v1/fs/trash', json={'action': 'RESTORE', 'ids': [item_id]})
    restored = body_of(lab.stat('deleted.txt')).get('group_id')
    same = succeeded(response) and restored == lab.facts.get('deleted')
    yield lab.finding('trash.restore', same, response)
