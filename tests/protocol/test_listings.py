"""Responses to listings are rendered once, and change with all that they depend on."""

from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.interfaces import IMount, IRenderedListings
from fsp_pyramid.protocol import listings
from fsp_pyramid.protocol.listings import Rendered, RenderedListings
from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from .beefree import PNG, Beefree

HOME = '/Shared/Beefree/u1'


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths of the listings that are rendered."""
    paths: list[str] = []
    render = listings._render

    def count(listing: Any, fsp: Any, **options: Any) -> Rendered:
        paths.append('/'.join(listing.entry.path))
        return render(listing, fsp, **options)

    monkeypatch.setattr(listings, '_render', count)
    return paths


def warm(client: Beefree, path: str, rendered: list[str]) -> bytes:
    """Return the body of a listing that was rendered before."""
    client.get(path)
    body = client.get(path).body
    rendered.clear()
    assert client.get(path).body == body
    assert rendered == []
    return body


def test_listing_is_rendered_once(client: Beefree, sandbox: Sandbox, rendered: list[str]) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    response = client.get('/')
    assert warm(client, '/', rendered) == response.body
    repeated = client.get('/')
    assert repeated.headers['Content-Type'] == response.headers['Content-Type'] == 'application/json'
    assert client.request('HEAD', '/').content_length == len(response.body)


@pytest.mark.parametrize('change', ['upload', 'delete', 'move', 'create', 'create below', 'elsewhere'])
def test_change_renders_the_listing_again(
    make_app: Callable[..., Any],
    sandbox: Sandbox,
    source: Source,
    rendered: list[str],
    change: str,
) -> None:
    client = Beefree(make_app(cache__ttl='86400'))
    sandbox.upload(f'{HOME}/a.png', PNG)
    sandbox.upload(f'{HOME}/d/b.png', PNG)
    sandbox.upload('/Shared/Team/n/b.png', PNG)
    client.get('/d/')
    before = warm(client, '/', rendered)
    changes: dict[str, Callable[[], Any]] = {
        'upload': lambda: client.upload('/c.png', source.offer(PNG)),
        'delete': lambda: client.delete('/a.png'),
        'move': lambda: client.move('/a.png', '/d/'),
        'create': lambda: client.create('/e/'),
        'create below': lambda: client.create('/d/e/'),  # the count of items in d
        'elsewhere': lambda: client.upload('/team/n/c.png', source.offer(PNG)),
    }
    assert changes[change]().status_int in {200, 201, 204}
    after = client.get('/').body
    if change == 'elsewhere':
        assert (after, rendered) == (before, [])
    else:
        assert after != before
        names = {name.rstrip('/') for name in client.names('/')}
        assert names == expected(change)
        assert client.get('/').json['data']['meta']['item-count'] == len(names)


def expected(change: str) -> set[str]:
    names = {'a.png', 'd', 'shared', 'team'}
    return {
        'upload': names | {'c.png'},
        'delete': names - {'a.png'},
        'move': names - {'a.png'},
        'create': names | {'e'},
        'create below': names,
    }[change]


def test_urls_follow_the_host(client: Beefree, sandbox: Sandbox, rendered: list[str]) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    warm(client, '/', rendered)
    item = client.get('/', Host='other.example.com').json['data']['items'][-1]
    assert item['public-url'].startswith('http://other.example.com/fsp-public/')
    assert warm(client, '/', rendered).count(b'other.example.com') == 0


def test_flag_for_directories_has_a_response_of_its_own(client: Beefree, sandbox: Sandbox, rendered: list[str]) -> None:
    sandbox.upload(f'{HOME}/a.png', PNG)
    sandbox.upload(f'{HOME}/d/b.png', PNG)
    warm(client, '/', rendered)
    for _ in range(2):
        items = client.get('/', **{'X-BEE-fsp-flags': 'move'}).json['data']['items']
        assert [item['name'] for item in items] == ['d', 'shared', 'team']
    assert 'a.png' in client.names('/')


def test_users_share_the_response_of_a_shared_directory_only(
    make_app: Callable[..., Any], sandbox: Sandbox, rendered: list[str]
) -> None:
    application = make_app()
    one, two = Beefree(application, 'u1'), Beefree(application, 'u2')
    sandbox.upload(f'{HOME}/a.png', PNG)
    warm(one, '/', rendered)
    assert 'a.png' not in two.names('/')
    shared = warm(one, '/shared/', rendered)
    assert two.get('/shared/').body == shared
    assert rendered == []


def test_type_that_becomes_known_is_shown(client: Beefree, sandbox: Sandbox, rendered: list[str]) -> None:
    sandbox.upload(f'{HOME}/picture', PNG)
    warm(client, '/', rendered)

    def item() -> dict[str, Any]:
        return next(item for item in client.get('/').json['data']['items'] if item['name'] == 'picture')

    assert item()['mime-type'] == 'application/octet-stream'
    assert client.public(item()['public-url']).status_int == 200
    assert item()['mime-type'] == 'image/png'
    warm(client, '/', rendered)


def test_response_without_cache_is_rendered_each_time(
    make_app: Callable[..., Any], sandbox: Sandbox, rendered: list[str]
) -> None:
    client = Beefree(make_app(cache__ttl='0'))
    sandbox.upload(f'{HOME}/a.png', PNG)
    client.get('/')
    sandbox.upload(f'{HOME}/b.png', PNG)
    assert 'b.png' in client.names('/')
    assert rendered == ['', '']


def test_memory_is_bounded() -> None:
    cache = RenderedListings(10_000)
    for number in range(10):
        cache.put(number, Rendered(1, b'x' * 2000, ()))
    assert [number for number in range(10) if cache.get(number)] == [7, 8, 9]
    cache.put('large', Rendered(1, b'x' * 20_000, ()))
    assert cache.get('large') is None
    assert cache.get(9) is not None


def test_mounts_share_the_memory(make_app: Callable[..., Any]) -> None:
    application = make_app(cache__memory='8 MB')
    mount = application.registry.getUtility(IMount, name='fsp')
    assert mount.rendered_listings._rendered.maxsize == 3 << 20


def test_changed_listing_replaces_its_body(client: Beefree) -> None:
    cache, sizes = client.app.app.registry.getUtility(IRenderedListings), set[int]()
    client.create('/first/')
    for number in range(5):
        client.create(f'/d{number}/')
        assert f'd{number}/' in client.names('/')
        sizes.add(len(cache._rendered))
    assert len(sizes) == 1


def test_users_of_a_shared_directory_keep_their_bodies(
    make_app: Callable[..., Any], sandbox: Sandbox, rendered: list[str]
) -> None:
    """Each of them sees a directory of their own in it."""
    sandbox.upload('/Shared/Brand/a.png', PNG)
    for uid in ('u1', 'u2'):
        sandbox.upload(f'/Shared/Users/{uid}/b.png', PNG)
    app = make_app(folders='/ /Shared/Brand\n/mine/ /Shared/Users/{uid}', cache__ttl='86400')
    users = [Beefree(app, uid=uid) for uid in ('u1', 'u2')]
    for user in users:
        user.get('/mine/')
        warm(user, '/', rendered)
    rendered.clear()
    for user in users * 2:
        assert user.names('/')[0] == 'mine/'
    assert rendered == []
