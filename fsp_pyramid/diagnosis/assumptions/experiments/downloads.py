"""Downloads: headers, ranges, conditions and versions."""

from collections.abc import Iterator

import requests

from ..experiment import experiment
from ..lab import CONTENT, Lab, sha512
from ..model import Finding, NotTried
from .uploads import NEW, OLD


def _download(lab: Lab, params: dict[str, str] | None = None, **headers: str) -> requests.Response:
    if 'file' not in lab.facts:
        raise NotTried('the file of an earlier experiment is missing')
    path = f'{CONTENT}/ids/file/{lab.facts["file"]}'
    named = {key.replace('_', '-'): value for key, value in headers.items()}
    return lab.call('GET', path, params=params, headers={'Accept-Encoding': 'identity', **named})


@experiment(1, 'downloads.headers')
def headers(lab: Lab) -> Iterator[Finding]:
    response = _download(lab)
    right = response.headers.get('X-Sha512-Checksum') == sha512(NEW) and 'ETag' in response.headers
    whole = response.headers.get('Content-Length') == str(len(NEW)) and response.content == NEW
    lab.facts['etag'] = response.headers.get('ETag', '')
    yield lab.finding('downloads.headers', right and whole, response)


@experiment(2, 'downloads.range', 'downloads.range-end')
def ranges(lab: Lab) -> Iterator[Finding]:
    response = _download(lab, Range='bytes=1-2')
    named = response.headers.get('Content-Range') == f'bytes 1-2/{len(NEW)}'
    yield lab.finding('downloads.range', response.status_code == 206 and named, response)
    response = _download(lab, Range=f'bytes={len(NEW)}-')
    yield lab.finding('downloads.range-end', response.status_code == 416, response)


@experiment(1, 'downloads.condition')
def condition(lab: Lab) -> Iterator[Finding]:
    response = _download(lab, If_None_Match=f'"{lab.facts.get("etag", "").strip(chr(34))}"')
    yield lab.finding('downloads.condition', response.status_code == 200, response)


@experiment(1, 'downloads.version')
def version(lab: Lab) -> Iterator[Finding]:
    response = _download(lab, {'entry_id': lab.facts.get('old', '')})
    yield lab.finding('downloads.version', response.content == OLD, response)
