"""Uploads, and the metadata of files."""

import re
from collections.abc import Iterator

from ....egnyte.times import http_date
from ....egnyte.transport import succeeded
from ....storage.egnyte import LEVELS
from ..experiment import experiment
from ..lab import FS, Lab, body_of, sha512
from ..model import Finding, NotTried

OLD, NEW = b'old', b'the new content'
# Levels that permit everything.
FULL = {'Full', 'Owner'}
CHUNK = 1024


@experiment(2, 'uploads.answer', 'uploads.etag', 'uploads.version')
def versions(lab: Lab) -> Iterator[Finding]:
    response = lab.upload('file.txt', OLD)
    data = body_of(response)
    told = {'group_id', 'entry_id'} <= data.keys() and data.get('checksum') == sha512(OLD)
    yield lab.finding('uploads.answer', response.status_code == 200 and told, response)
    yield lab.finding('uploads.etag', told and response.headers.get('ETag') == data['entry_id'], response)
    again = lab.upload('file.txt', NEW)
    newer = body_of(again)
    same = told and newer.get('group_id') == data['group_id'] and newer.get('entry_id') != data['entry_id']
    if told:
        lab.facts |= {'file': str(data['group_id']), 'old': str(data['entry_id'])}
    yield lab.finding('uploads.version', same, again)


@experiment(1, 'metadata.file', 'metadata.versions', 'metadata.permission')
def metadata(lab: Lab) -> Iterator[Finding]:
    response = lab.stat('file.txt', include_perm='true')
    data = body_of(response)
    right = {'group_id', 'entry_id', 'size'} <= data.keys() and data.get('checksum') == sha512(NEW)
    yield lab.finding('metadata.file', right and _is_date(data.get('last_modified')), response)
    older = data.get('versions')
    entries = [item.get('entry_id') for item in older if isinstance(item, dict)] if isinstance(older, list) else []
    yield lab.finding(
        'metadata.versions', entries == [lab.facts.get('old')], response, f'{len(entries)} older versions'
    )
    level = data.get('permission')
    got = f'the level {level}' if isinstance(level, str) and re.fullmatch('[A-Za-z ]{1,20}', level) else 'no level'
    yield lab.finding('metadata.permission', level in {*LEVELS, *FULL}, response, got)


def _is_date(text: object) -> bool:
    try:
        return http_date(str(text)) > 0 and not str(text).isdecimal()
    except ValueError:
        return False


@experiment(1, 'uploads.parents')
def parents(lab: Lab) -> Iterator[Finding]:
    response = lab.upload('missing/file.txt', NEW)
    yield lab.finding('uploads.parents', succeeded(response), response, fits='True')


@experiment(1, 'uploads.empty')
def empty(lab: Lab) -> Iterator[Finding]:
    response = lab.upload('empty.txt', b'')
    yield lab.finding('uploads.empty', 400 <= response.status_code < 500, response, fits='True')


@experiment(1, 'uploads.checksum')
def checksum(lab: Lab) -> Iterator[Finding]:
    response = lab.upload('checksum.txt', NEW, X_Sha512_Checksum=sha512(OLD))
    fits = '' if succeeded(response) else str(response.status_code)
    yield lab.finding('uploads.checksum', response.status_code == 400, response, fits=fits)


@experiment(1, 'uploads.onto-folder')
def onto_folder(lab: Lab) -> Iterator[Finding]:
    response = lab.upload('a', NEW)
    yield lab.finding('uploads.onto-folder', 400 <= response.status_code < 500, response)


@experiment(2, 'uploads.shared')
def shared(lab: Lab) -> Iterator[Finding]:
    if lab.parent.lower() != '/shared':
        raise NotTried('it is outside of the scratch folder; --folder /Shared allows it')
    name = lab.path.rpartition('/')[2]
    response = lab.upload(f'../{name}.txt', NEW)
    yield lab.finding('uploads.shared', 400 <= response.status_code < 500, response, fits='True')
    if succeeded(response) and (file_id := body_of(response).get('group_id')):
        lab.call('DELETE', f'{FS}/ids/file/{file_id}')


@experiment(1, 'uploads.chunk')
def chunk(lab: Lab) -> Iterator[Finding]:
    # Without a last chunk no file comes of it.
    path = FS.replace('/fs', '/fs-content-chunked') + lab.quoted('chunks.bin')
    response = lab.call('POST', path, data=bytes(CHUNK), headers={'X-Egnyte-Chunk-Num': '1'})
    yield lab.finding('uploads.chunk', 400 <= response.status_code < 500, response, fits=f'{CHUNK}, or less')
