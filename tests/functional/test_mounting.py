"""Mounting: paths, several mounts, and isolation from the host application."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationError, URLDecodeError
from pyramid.interfaces import ITweens
from pyramid.request import Request as PyramidRequest
from pyramid.response import Response
from webob import Request

from fsp_pyramid.events import DirectoryCreated, FileMoved
from fsp_pyramid.protocol.resources import File
from fsp_pyramid.testing import Sandbox

from .envelope import (
    ask,
    caller,
    path_info,
    read,
)

HOME = '/Shared/Beefree/demo'

Make = Callable[..., Any]
Step = Callable[[Any], object]


def include(config: Any) -> None:
    config.include('fsp_pyramid')


def below(route_prefix: str) -> Step:
    return lambda config: config.include('fsp_pyramid', route_prefix=route_prefix)


def public_url(application: Any, base: str, **environ: str) -> str:
    """Return the public URL of the first file in the root."""
    items = ask(application, f'{path_info(base)}/', **environ).json['data']['items']
    return next(item['public-url'] for item in items if 'public-url' in item)


def follow(application: Any, url: str, script_name: str = '') -> Response:
    request = Request.blank(url)
    if script_name:
        assert request.path_info.startswith(f'{script_name}/')
        request.path_info = request.path_info.removeprefix(script_name)
        request.script_name = script_name
    answer = request.get_response(application)
    assert answer.body is not None  # read to the end, as a server does
    return answer


def test_mount_answers_below_its_prefix_only(make: Make, egnyte: Sandbox) -> None:
    application = make(include)
    for path in ('/fsp', '/fsp/'):
        assert ask(application, path).json['data']['meta']['path'] == '/'
    for path in ('', '/', '/fspx', '/fs', '/FSP/', '//fsp/', '/fsp\n', '/x/fsp/', '/fsp-publicx/'):
        response = ask(application, path)
        assert (response.status_int, response.content_type) == (404, 'text/plain'), path


def test_settings_set_the_path(make: Make, egnyte: Sandbox) -> None:
    application = make(include, prefix='/beefree/files', public__prefix='/pictures')
    read(ask(application, '/beefree/files'))
    assert ask(application, '/fsp').status_int == 404
    url = public_url(application, '/beefree/files')
    assert url.startswith('http://localhost/pictures/')
    assert follow(application, url).status_int == 200


@pytest.mark.parametrize(
    ('route_prefix', 'base'),
    [('files', '/files'), ('/files/', '/files'), ('a/b', '/a/b'), ('médias & co', '/médias & co'), ('a:b', '/a:b')],
)
def test_route_prefix_applies_to_all_routes(make: Make, egnyte: Sandbox, route_prefix: str, base: str) -> None:
    application = make(below(route_prefix))
    for path in ('/fsp', '/fsp/', '/fsp/Notes.txt'):
        assert read(ask(application, path_info(base + path))) == (200, None)
    for path in ('/fsp/nothing', '/fsp/\n'):
        read(ask(application, path_info(base + path)))
    assert read(ask(application, path_info(base) + '/fsp/\xff')) == (400, 3500)
    for path in (base, f'{base}/', f'{base}/fspx', '/fsp', '/fsp-public'):
        assert ask(application, path_info(path)).content_type == 'text/plain'
    assert follow(application, public_url(application, f'{base}/fsp')).status_int == 200


def test_route_prefixes_add_up(make: Make, egnyte: Sandbox) -> None:
    def product(config: Any) -> None:
        config.include('fsp_pyramid', route_prefix='inner')

    application = make(lambda config: config.include(product, route_prefix='outer'))
    read(ask(application, '/outer/inner/fsp/'))


@pytest.mark.parametrize('route_prefix', ['{tenant}', 'a/{tenant}/b', 'a/*rest'])
def test_route_prefix_with_placeholders_is_refused(make: Make, route_prefix: str) -> None:
    with pytest.raises(ConfigurationError, match='placeholders'):
        make(below(route_prefix))


@pytest.mark.parametrize('script_name', ['', '/app', '/ä b'])
@pytest.mark.parametrize('route_prefix', [None, 'files'])
def test_urls_include_script_name_and_prefix(
    make: Make, egnyte: Sandbox, script_name: str, route_prefix: str | None
) -> None:
    urls: list[str] = []

    def note(event: DirectoryCreated) -> None:
        request, context = event.request, event.request.context
        urls.extend(
            request.resource_url(resource) for resource in (context, context.__parent__, File('a b&é.png', context))
        )

    application = make(
        lambda config: config.include('fsp_pyramid', route_prefix=route_prefix),
        lambda config: config.add_subscriber(note, DirectoryCreated),
    )
    base, environ = f'/{route_prefix}/fsp' if route_prefix else '/fsp', {'SCRIPT_NAME': path_info(script_name)}
    assert read(ask(application, f'{base}/new+dir;1/', 'POST', **environ)) == (201, None)
    start = f'http://localhost{script_name.replace("ä b", "%C3%A4%20b")}{base}/'
    assert urls == [f'{start}new%2Bdir%3B1/', start, f'{start}new%2Bdir%3B1/a%20b%26%C3%A9.png']
    assert follow(application, urls[0], script_name).status_int == 401  # handled by the mount, and without credentials
    url = public_url(application, base, **environ)
    assert url.startswith(start.removesuffix('/') + '-public/')
    assert follow(application, url, script_name).status_int == 200


def test_public_base_url_may_be_another_host(make: Make, egnyte: Sandbox) -> None:
    application = make(include, public__base_url='https://cdn.example.com/e')
    assert public_url(application, '/fsp', SCRIPT_NAME='/app').startswith('https://cdn.example.com/e/DY')


def test_mounts_have_separate_credentials_and_accounts(make: Make, egnyte: Sandbox) -> None:
    application = make(
        include,
        lambda config: config.add_fsp('team', '/team', username='team', password='t', folders='/ /Shared/Brand'),
        lambda config: config.include(
            lambda config: config.add_fsp('other', '/other', egnyte_token='sandbox-bob'), route_prefix='deep'
        ),
    )
    team = caller(username='team', password='t')['Authorization']
    assert read(ask(application, '/team/')) == (401, 3650)
    assert read(ask(application, '/fsp/', HTTP_AUTHORIZATION=team)) == (401, 3650)
    assert read(ask(application, '/team/Campaigns/', HTTP_AUTHORIZATION=team)) == (200, None)
    # The third mount has another Egnyte account, with fewer permissions.
    names = [item['name'] for item in ask(application, '/deep/other/').json['data']['items']]
    assert names == ['shared']
    for path in ('/team/\xff', '/deep/other/\xff', '/fsp/\xff'):
        assert read(ask(application, path)) == (400, 3500)
    for base, credentials in (('/fsp', {}), ('/team', {'HTTP_AUTHORIZATION': team})):
        url = public_url(application, base, **credentials)
        assert url.startswith('http://localhost/fsp-public/')
        assert follow(application, url).status_int == 200


def test_mounts_with_same_token_share_listing_cache(make: Make, egnyte: Sandbox) -> None:
    """Share cache and locks by token: permissions depend on the token, not on the mount."""
    application = make(
        include,
        lambda config: config.add_fsp('other', '/other'),
        lambda config: config.add_fsp('bob', '/bob', egnyte_token='sandbox-bob'),
    )
    calls = []
    for base in ('/fsp', '/other', '/bob'):
        egnyte.forget_calls()
        read(ask(application, f'{base}/shared/'))
        calls.append(len(egnyte.calls))
    assert calls == [1, 0, 1]
    assert read(ask(application, '/other/new/', 'POST')) == (201, None)
    assert 'new' in [item['name'] for item in ask(application, '/fsp/').json['data']['items']]


def test_mounts_with_same_name_are_a_conflict(make: Make) -> None:
    with pytest.raises(ConfigurationConflictError):
        make(include, lambda config: [config.add_fsp('team', path) for path in ('/a', '/b')])


@pytest.mark.parametrize('path', ['/fsp', '/fsp/team', '/fsp-public', '/fsp-public/team'])
def test_overlapping_mounts_are_refused(make: Make, path: str) -> None:
    with pytest.raises(ConfigurationError, match='overlap'):
        make(include, lambda config: config.add_fsp('team', path))


def test_overlapping_mounts_across_route_prefixes_are_refused(make: Make) -> None:
    with pytest.raises(ConfigurationError, match='/files overlaps with /files/fsp'):
        make(below('files'), lambda config: config.add_fsp('team', '/files'))


def test_adjacent_mounts_are_accepted(make: Make) -> None:
    make(below('files'), lambda config: config.add_fsp('team', '/files/fsp2'))


@pytest.mark.parametrize('name', ['', 'fsp_public', 'a.b', 'a b', 'ä', 'a' * 33])
def test_invalid_mount_names_are_refused(make: Make, name: str) -> None:
    with pytest.raises(ConfigurationError, match='name of a mount'):
        make(include, lambda config: config.add_fsp(name, '/team'))


@pytest.mark.parametrize(
    ('overrides', 'complaint'),
    [
        ({'colour': 'red'}, 'fsp.colour'),
        ({'egnyte_url': 'ftp://x'}, 'fsp.egnyte.url'),
        ({'public_secret': 'x'}, 'public_secret'),
        ({'include_tm': 'false'}, 'include_tm'),
        ({'cache_ttl': '5'}, 'cache_ttl'),
    ],
)
def test_invalid_overrides_are_refused(make: Make, overrides: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        make(include, lambda config: config.add_fsp('team', '/team', **overrides))


def test_including_twice_is_harmless(make: Make, egnyte: Sandbox) -> None:
    application = make(include, include, below('later'))
    read(ask(application, '/fsp/'))
    assert ask(application, '/later/fsp/').status_int == 404


def test_include_works_with_autocommit(settings: dict[str, str], egnyte: Sandbox) -> None:
    config = Configurator(settings=settings, autocommit=True)
    config.include('fsp_pyramid')
    assert read(ask(config.make_wsgi_app(), '/fsp/')) == (200, None)


def test_mounts_are_introspectable(make: Make) -> None:
    found: list[Any] = []

    def inspect(config: Any) -> None:
        config.include('fsp_pyramid', route_prefix='files')
        config.add_fsp('team', '/team')
        config.commit()
        found.extend(config.introspector.get_category('fsp mounts'))

    make(inspect)
    mounts = {item['introspectable']['name']: item for item in found}
    assert {name: item['introspectable']['path'] for name, item in mounts.items()} == {
        'fsp': '/files/fsp',
        'team': '/team',
    }
    assert [related['name'] for related in mounts['team']['related']] == ['team']
    assert 'beefree' not in repr([dict(item['introspectable']) for item in found])


def test_configuration_makes_no_calls(make: Make, tmp_path: Path) -> None:
    application = make(include, database_url=f'sqlite:///{tmp_path}/fsp.sqlite', public__cache_dir=f'{tmp_path}/cache')
    for path in ('/fsp/..', '/fsp/\xff', '/fsp-public/a/b'):
        ask(application, path)
    assert read(ask(application, '/fsp/', HTTP_AUTHORIZATION='')) == (401, 3650)
    assert list(tmp_path.iterdir()) == []


def test_transaction_manager_is_included_unless_disabled(make: Make) -> None:
    for value in ('true', 'false'):
        tweens = make(include, include_tm=value).registry.getUtility(ITweens).implicit()
        assert ('pyramid_tm.tm_tween_factory' in dict(tweens)) == (value == 'true')


@pytest.mark.parametrize('include_tm', ['true', 'false'])
def test_failing_view_rolls_back_changes(make: Make, egnyte: Sandbox, include_tm: str) -> None:
    seen: list[bool] = []

    def fail(event: DirectoryCreated) -> None:
        seen.append(egnyte.exists(f'{HOME}/new'))
        raise RuntimeError('the host is not content')

    application = make(include, lambda config: config.add_subscriber(fail, DirectoryCreated), include_tm=include_tm)
    assert read(ask(application, '/fsp/new/', 'POST')) == (503, 3001)
    assert seen == [True]
    assert not egnyte.exists(f'{HOME}/new')


def test_move_to_same_path_sends_no_event(make: Make, egnyte: Sandbox) -> None:
    seen: list[FileMoved] = []
    application = make(include, lambda config: config.add_subscriber(seen.append, FileMoved))
    egnyte.upload(f'{HOME}/d/a.txt', b'x')
    for target, moves in (('/D/', 0), ('/', 1)):
        body = json.dumps({'new_path': target}).encode()
        environ = {'wsgi.input': io.BytesIO(body), 'CONTENT_LENGTH': str(len(body))}
        assert read(ask(application, '/fsp/d/A.txt', 'PATCH', **environ)) == (200, None)
        assert len(seen) == moves


def test_changes_stay_without_transaction_manager(make: Make, egnyte: Sandbox) -> None:
    application = make(include, include_tm='false')
    assert read(ask(application, '/fsp/new/', 'POST')) == (201, None)
    assert read(ask(application, '/fsp/new/x/', 'POST')) == (201, None)
    assert read(ask(application, '/fsp/new/', 'DELETE')) == (403, 3908)
    assert egnyte.exists(f'{HOME}/new/x')


def test_transaction_manager_of_host_is_used(make: Make, egnyte: Sandbox) -> None:
    def doom(event: DirectoryCreated) -> None:
        event.request.tm.doom()

    application = make(
        lambda config: config.include('pyramid_tm'),
        include,
        lambda config: config.add_subscriber(doom, DirectoryCreated),
        include_tm='false',
    )
    ask(application, '/fsp/new/', 'POST')
    assert not egnyte.exists(f'{HOME}/new')


def test_undecodable_urls_are_handled_below_mount_only(make: Make) -> None:
    def theirs(config: Any) -> None:
        config.add_exception_view(lambda error, request: Response('theirs', status=418), context=URLDecodeError)

    for steps in ((theirs, include), (include, theirs)):
        application = make(*steps)
        for path in ('/\xff', '/fspx\xff', '/fsp\xff'):
            assert ask(application, path).text == 'theirs'
        for path in ('/fsp/\xff', '/fsp/a/\xe9'):
            assert read(ask(application, path)) == (400, 3500)
        assert ask(application, '/fsp-public/\xff/a').status_int == 404


def test_global_views_of_host_do_not_apply_to_mount(make: Make, egnyte: Sandbox) -> None:
    def theirs(config: Any) -> None:
        config.add_view(lambda request: Response('theirs'), name='Notes.txt')
        config.add_view(lambda request: Response('theirs'), name='')

    application = make(theirs, include)
    for path in ('/', '/Notes.txt'):
        assert ask(application, path).text == 'theirs'
    for path in ('/fsp', '/fsp/Notes.txt'):
        assert read(ask(application, path)) == (200, None)


def test_factories_of_host_are_used(make: Make, egnyte: Sandbox) -> None:
    class TheirRequest(PyramidRequest):
        pass

    class TheirResponse(Response):
        default_content_type = 'text/plain'

    def theirs(config: Any) -> None:
        config.set_root_factory(lambda request: pytest.fail('we have a root of our own'))
        config.set_request_factory(TheirRequest)
        config.set_response_factory(lambda request: TheirResponse())
        config.add_subscriber(lambda event: seen.append(type(event.request)), DirectoryCreated)

    seen: list[type] = []
    application = make(theirs, include)
    assert read(ask(application, '/fsp/')) == (200, None)
    assert read(ask(application, '/fsp/new/', 'POST')) == (201, None)
    assert [issubclass(kind, TheirRequest) for kind in seen] == [True]


def test_routes_match_in_order_of_registration(make: Make, egnyte: Sandbox) -> None:
    def everything(config: Any) -> None:
        config.add_route('everything', '/*all')
        config.add_view(lambda request: Response('theirs'), route_name='everything')

    assert read(ask(make(include, everything), '/fsp/')) == (200, None)
    assert ask(make(everything, include), '/fsp/').text == 'theirs'


def test_application_may_override_the_mount(make: Make, egnyte: Sandbox) -> None:
    application = make(include, lambda config: config.add_fsp('fsp', '/moved'))
    assert read(ask(application, '/moved')) == (200, None)
    assert ask(application, '/fsp/').status_int == 404
