"""Folders: creation, parents, options."""

from collections.abc import Iterator

from ....egnyte.transport import succeeded
from ..experiment import experiment
from ..lab import FS, Lab, body_of
from ..model import Finding


@experiment(2, 'folders.create', 'folders.exists')
def create(lab: Lab) -> Iterator[Finding]:
    response = lab.action('a', 'add_folder')
    yield lab.finding('folders.create', response.status_code == 201 and body_of(response).get('folder_id'), response)
    response = lab.action('a', 'add_folder')
    known = response.status_code == 403 and 'already exists' in response.text
    yield lab.finding('folders.exists', known, response)


@experiment(1, 'folders.parents')
def parents(lab: Lab) -> Iterator[Finding]:
    response = lab.action('parent/child', 'add_folder')
    yield lab.finding('folders.parents', succeeded(response), response, fits='True')


@experiment(2, 'folders.options', 'folders.times')
def options(lab: Lab) -> Iterator[Finding]:
    description = {'folder_description': 'made by fsp-doctor'}
    response = lab.call('PATCH', FS + lab.quoted('a'), json=description)
    yield lab.finding('folders.options', succeeded(response), response)
    response = lab.stat('a')
    data = body_of(response)
    yield lab.finding('folders.times', str(data.get('lastModified', '')).isdecimal(), response)
