"""Listings: paging, counts and order."""

from collections.abc import Iterator

from ..experiment import experiment
from ..lab import FS, Lab, body_of
from ..model import Finding


@experiment(7, 'listings.all', 'listings.total', 'listings.paging', 'listings.without')
def listings(lab: Lab) -> Iterator[Finding]:
    folder = lab.need(lab.action('list', 'add_folder'), 'a folder could not be created')
    # A file before a folder by name, so that their order tells which kind comes first.
    lab.file_id('list/b.txt')
    lab.need(lab.action('list/c', 'add_folder'), 'a folder could not be created')
    lab.facts['folder'] = str(folder.get('folder_id', ''))
    path = FS + lab.quoted('list')
    response = lab.call('GET', path)
    data = body_of(response)
    names = _names(data)
    yield lab.finding('listings.all', names == ['c', 'b.txt'], response, f'{len(names)} of 2 items')
    yield lab.finding('listings.total', data.get('total_count') == 2, response, _total(data))
    pages = [lab.call('GET', path, params={'count': 1, 'offset': offset}) for offset in (0, 1)]
    found = [_names(body_of(page)) for page in pages]
    got = ' and '.join(f'{len(page)} items' for page in found)
    yield lab.finding('listings.paging', found == [['c'], ['b.txt']], pages[0], got)
    response = lab.stat('list')
    yield lab.finding('listings.without', not _names(body_of(response)), response)


def _names(data: dict[str, object]) -> list[str]:
    items = [item for key in ('folders', 'files') if isinstance(found := data.get(key), list) for item in found]
    return [str(item.get('name')) for item in items if isinstance(item, dict)]


def _total(data: dict[str, object]) -> str:
    total = data.get('total_count')
    return f'total_count is {total}' if isinstance(total, int) else 'no total_count'
