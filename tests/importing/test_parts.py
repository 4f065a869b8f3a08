"""Names, policy, state and locations of an import."""

from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.importing import Asset, Left, Policy, Reference, State, StateError
from fsp_pyramid.importing.locations import LocationError, open_location, resolve
from fsp_pyramid.importing.names import asset_name
from fsp_pyramid.importing.providers import Provider, ProviderError
from fsp_pyramid.importing.results import map_as_csv, read_map
from fsp_pyramid.storage.name_rules import MAX_NAME_BYTES, check_name

from .conftest import Pictures


@pytest.mark.parametrize(
    ('source', 'sniffed', 'declared', 'name'),
    [
        ('https://h/pizza.png?w=1', 'image/png', None, 'pizza.png'),
        ('https://h/pizza.png', 'image/jpeg', None, 'pizza.png'),
        ('https://h/pizza', 'image/jpeg', None, 'pizza.jpg'),
        ('https://h/photo.v2', 'image/gif', None, 'photo.v2.gif'),
        ('https://h/show.php?id=1', 'image/webp', None, 'show.webp'),
        ('https://h/a%2Fb%3A%20c.png', 'image/png', None, 'a_b_ c.png'),
        ('https://h/%F0%9F%8D%95.png', 'image/png', None, '_.png'),
        ('https://h/', 'image/png', None, 'file.png'),
        ('https://h', 'image/png', None, 'file.png'),
        ('https://h/dir/', None, 'application/pdf', 'dir.pdf'),
        ('https://h/thumbs.db', None, None, 'file_thumbs.db'),
        ('/home/a b/100%25.png', 'image/png', None, '100%25.png'),
    ],
)
def test_names(source: str, sniffed: str | None, declared: str | None, name: str) -> None:
    assert asset_name(source, sniffed, declared) == name


@given(st.text(min_size=1), st.sampled_from(['image/png', 'application/pdf', None]), st.booleans())
def test_all_names_are_allowed_by_egnyte(text: str, sniffed: str | None, is_url: bool) -> None:
    name = asset_name(f'https://h/{text}' if is_url else f'/home/{text}', sniffed)
    check_name(name)
    assert len(name.encode()) < MAX_NAME_BYTES - 8, 'room for a number'


@pytest.mark.parametrize(
    ('url', 'expected'),
    [
        ('https://a.acme.com/x.png', 'https://a.acme.com/x.png'),
        ('//a.acme.com/x.png#f', 'https://a.acme.com/x.png'),
        ('https://a.acme.com/%C3%BC%20.png', 'https://a.acme.com/%C3%BC%20.png'),
        ('https://other.com/x.png', Left.OTHER_HOST),
        ('https://files.example/fsp-public/t/x.png', Left.OWN),
        ('data:image/png;base64,AA', Left.DATA),
        ('https://a.acme.com/{{id}}.png', Left.MERGE_TAG),
        ('%%logo%%', Left.MERGE_TAG),
        ('[[logo]]', Left.MERGE_TAG),
        ('https://a.acme.com/*|ID|*.png', Left.MERGE_TAG),
        ('cid:logo', Left.OTHER_SCHEME),
        ('images/x.png', Left.RELATIVE),
        ('https://a.acme.com/lato.woff2', Left.NO_ASSET),
        ('https://a.acme.com/x.css?v=1', Left.NO_ASSET),
        ('https://[broken/x.png', Left.OTHER_HOST),
    ],
)
def test_policy(url: str, expected: str | Left) -> None:
    policy = Policy(own=('https://files.example/fsp-public/',), hosts=('*.acme.com', 'files.example'))
    assert policy.judge(Reference(0, len(url), url)) == expected


def test_links_are_imported_on_demand() -> None:
    file, page = (Reference(0, 0, url, is_link=True) for url in ('https://h/a.pdf', 'https://h/a.html'))
    assert [Policy(links=links).judge(file) for links in (False, True)] == [None, 'https://h/a.pdf']
    assert Policy(links=True).judge(page) is None
    assert Policy(only=('*.png',)).judge(Reference(0, 0, 'https://h/a.gif')) is Left.UNSELECTED


def test_files_above_the_template_are_not_read(tmp_path: Path) -> None:
    (tmp_path / 'secret.png').write_bytes(b'x')
    (tmp_path / 'mail').mkdir()
    (tmp_path / 'mail' / 'link.png').symlink_to(tmp_path / 'secret.png')
    for url in ('../secret.png', str(tmp_path / 'secret.png'), 'link.png', 'a\0b', 'x' * 5000):
        assert Policy().judge(Reference(0, 0, url), tmp_path / 'mail') is Left.RELATIVE, url


def test_state_survives(tmp_path: Path) -> None:
    asset = Asset('https://h/a', '/x/', 'moved', '/x/a', 'f' * 128, 3, 'https://n/a')
    with State(tmp_path / 'state', {'uid': 'anna'}) as state:
        state.put(asset)
        with pytest.raises(StateError, match='used by another run'):
            State(tmp_path / 'state', {'uid': 'anna'})
    with State(tmp_path / 'state', {'uid': 'anna'}) as state:
        assert list(state) == [asset] == [state.get('https://h/a', '/x/')] == [state.by_content('/x/', 'f' * 128)]
        assert state.get('https://h/a', '/y/') is None
    with pytest.raises(StateError, match='other values of: uid'):
        State(tmp_path / 'state', {'uid': 'bob'})


@given(st.dictionaries(st.text().filter(lambda text: '\0' not in text), st.text(), max_size=5))
def test_map_is_read_as_written(urls: dict[str, str]) -> None:
    assert read_map(map_as_csv(urls)) == urls


def test_provider_is_walked(pictures: Pictures) -> None:
    directory = '{"mime-type": "application/directory", "path": "/deep/"}'
    file = '{"mime-type": "image/png", "path": "/%sa.png", "public-url": "https://h/a.png"}'
    pictures.contents['/fsp/'] = f'{{"data": {{"items": [{directory}, {file % ""}, 7]}}}}'.encode()
    pictures.contents['/fsp/deep/'] = f'{{"items": [{file % "deep/"}, {directory}]}}'.encode()
    files = list(Provider(f'{pictures.url}/fsp', {}).walk())
    assert [file.path for file in files] == [('a.png',), ('deep', 'a.png')]
    assert pictures.requests == ['/fsp/', '/fsp/deep/']


@pytest.mark.parametrize(
    ('body', 'complaint'),
    [(b'<html>', 'no JSON'), (b'{}', 'no items'), (b'[{"path": "/../a", "public-url": "u"}]', 'bad path')],
)
def test_odd_answers_of_providers_are_told(pictures: Pictures, body: bytes, complaint: str) -> None:
    pictures.contents['/fsp/'] = body
    with pytest.raises(ProviderError, match=complaint):
        list(Provider(f'{pictures.url}/fsp', {}).walk())


def test_missing_and_refusing_providers_are_told(pictures: Pictures) -> None:
    pictures.broken.add('/fsp/')
    with pytest.raises(ProviderError, match='status 404'):
        list(Provider(f'{pictures.url}/fsp', {}).walk())


def test_other_file_systems_are_listed_and_read() -> None:
    system = fsspec.filesystem('memory')
    for name in ('/test-import/a.png', '/test-import/deep/b.png'):
        system.pipe(name, name.encode())
    try:
        found = resolve(['memory://test-import'], {}, 'c', 'u').assets
        assert [(asset.source, asset.below) for asset in found] == [
            ('memory:///test-import/a.png', ()),
            ('memory:///test-import/deep/b.png', ('deep',)),
        ]
        with open_location(found[1].source) as file:
            assert file.read() == b'/test-import/deep/b.png'
        with pytest.raises(LocationError, match='has no files'):
            resolve(['memory://test-import-nothing'], {}, 'c', 'u')
    finally:
        system.rm('/test-import', recursive=True)
