"""The pages in a host application: neither side affects the other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.session import SignedCookieSessionFactory
from webtest import TestApp

from fsp_pyramid.connect import connect_url

from .visitor import Site, Visitor


class DenyAll:
    """Security policy of a host that denies everything."""

    def identity(self, _request: Any) -> None:
        return None

    authenticated_userid = identity

    def permits(self, _request: Any, _context: Any, _permission: str) -> bool:
        return False


def configure(config: Any) -> None:
    """Return an application that configures itself before and after it includes the provider."""
    config.set_session_factory(SignedCookieSessionFactory('secret'))
    config.set_security_policy(DenyAll())
    config.set_default_permission('member')
    config.set_default_csrf_options(require_csrf=True)
    config.add_route('ours', '/link')
    config.add_view(
        lambda request: Response(request.fsp_connect_url('shop', 'anna', lifetime=60)),
        route_name='ours',
        permission=NO_PERMISSION_REQUIRED,
    )
    config.add_notfound_view(lambda request: Response('of the host', status=404))


def make_host(ini: dict[str, str], *more: Callable[[Any], Any], **settings: str) -> Any:
    with Configurator(settings=ini | settings) as config:
        configure(config)
        config.include('fsp_pyramid', route_prefix='files')
        for step in more:
            step(config)
        return config.make_wsgi_app()


def test_pages_work_in_a_host_that_denies_by_default(ini: dict[str, str], serve: Callable[[Any], Site]) -> None:
    site = serve(make_host(ini))
    with Visitor() as visitor:
        link = visitor.open(f'{site.url}/link').response.text
        assert link.startswith(f'{site.url}/files/fsp-connect/')
        visitor.connect(link)
        assert visitor.heading == 'Egnyte is connected'
        visitor.follow('Choose a folder').follow('/Private/alice').submit('Create', name='New').submit('Use “New”')
        assert site.connection().folder == '/Private/alice/New'
        assert visitor.submit('Disconnect').heading == 'Connect Egnyte'


@pytest.mark.parametrize(
    'path', ['/files/fsp-connect', '/files/fsp-connect/', '/fsp-connect/callback', '/files/fsp-connect/a/b']
)
def test_other_paths_are_answered_by_the_host(ini: dict[str, str], path: str) -> None:
    assert TestApp(make_host(ini)).get(path, status=404).text == 'of the host'


def test_without_oauth_the_prefix_is_the_hosts(ini: dict[str, str], tmp_path: Path) -> None:
    least = {key: ini[key] for key in ('fsp.username', 'fsp.password', 'tm.manager_hook')}
    app = TestApp(make_host(least | {'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}'}))
    for path in ('/files/fsp-connect/callback', '/files/fsp-connect/x', '/files/fsp-connect/x/folder'):
        assert app.get(path, status=404).text == 'of the host'


def test_second_mount_may_use_oauth(ini: dict[str, str], tmp_path: Path, serve: Callable[[Any], Site]) -> None:
    mine = dict(ini) | {'fsp.egnyte.url': f'sandbox:{tmp_path / "mine"}', 'fsp.accounts.mode': 'token'}

    def add(config: Any) -> None:
        config.add_fsp('team', '/team', egnyte_url=ini['fsp.egnyte.url'], accounts_mode='oauth')

    site = serve(make_host(mine, add))
    with pytest.raises(ValueError, match='oauth'):
        site.link()
    with Visitor() as visitor:
        assert visitor.connect(site.link(mount='team')).heading == 'Egnyte is connected'


def test_links_have_the_script_name(ini: dict[str, str]) -> None:
    app = TestApp(make_host(ini), extra_environ={'SCRIPT_NAME': '/product'})
    link = app.get('/link').text
    assert link.startswith('http://localhost/product/files/fsp-connect/')
    page = app.get(link.removeprefix('http://localhost/product'))
    assert page.form.action.startswith('/product/files/fsp-connect/')
    answer = page.form.submit('action', value='connect', status=303)
    assert 'redirect_uri=http%3A%2F%2Flocalhost%2Fproduct%2Ffiles%2Ffsp-connect%2Fcallback' in answer.location
    assert 'Path=/product/files/fsp-connect;' in answer.headers['Set-Cookie']


def test_templates_can_be_replaced(ini: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / 'layout.jinja2').write_text(
        '<title>Acme</title><h1>{{ self.title() }}</h1>{% block title %}{% endblock %}'
    )
    (tmp_path / 'style.jinja2').write_text('main { color: red; }')

    def override(config: Any) -> None:
        for name in overridden:
            config.override_asset(
                to_override=f'fsp_pyramid:connect/templates/{name}', override_with=str(tmp_path / name)
            )

    overridden = ['style.jinja2']
    app = TestApp(make_host(ini, override))
    assert 'color: red' in app.get('/files/fsp-connect/x', status=404)
    overridden = ['layout.jinja2']
    app = TestApp(make_host(ini, override))
    assert '<title>Acme</title>' in app.get('/files/fsp-connect/x', status=404)
    assert 'Acme' not in TestApp(make_host(ini)).get('/files/fsp-connect/x', status=404)


def test_templates_of_the_host_are_not_touched(ini: dict[str, str], serve: Callable[[Any], Site]) -> None:
    def with_jinja2(config: Any) -> None:
        config.include('pyramid_jinja2')

    site = serve(make_host(ini, with_jinja2, **{'jinja2.autoescape': 'false', 'jinja2.block_start_string': '<%'}))
    with Visitor() as visitor:
        visitor.connect(site.link()).follow('Choose a folder').follow('/Private/alice').submit('Create', name='x\'"&y')
        assert 'x&#39;' not in visitor.text
        visitor.submit('Create', name="Tom's & Ann's")
        assert 'Tom&#39;s &amp; Ann&#39;s' in visitor.response.text
    plain = make_host(ini)
    names = [
        entry['introspectable']['name'] for entry in plain.registry.introspector.get_category('renderer factories')
    ]
    assert 'fsp_json' in names
    assert '.jinja2' not in names


def test_template_of_a_host_shows_texts_of_python_in_the_language(ini: dict[str, str], tmp_path: Path) -> None:
    """Templates that were written before there were languages show titles and details as plain values."""
    (tmp_path / 'failed.jinja2').write_text('<h1>{{ title }}</h1><p>{{ details }}</p>')

    def override(config: Any) -> None:
        config.override_asset(
            to_override='fsp_pyramid:connect/templates/failed.jinja2', override_with=str(tmp_path / 'failed.jinja2')
        )

    app = TestApp(make_host(ini, override, **{'fsp.folders': '/ /Shared/{uid}'}))
    link = connect_url(app.app.registry, 'http://localhost', 'shop', 'anna', language='de')
    page = app.get(f'{link}/folder', status=404)
    assert '${' not in page.html.p.text
    assert page.html.h1.text == 'Es gibt nichts auszuwählen'
