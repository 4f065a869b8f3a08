"""Configuration of the server by the section of an ini file and by the environment."""

import signal
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationError
from waitress.adjustments import Adjustments

from fsp_pyramid import main, server
from fsp_pyramid.server.graceful import SIGNALS
from fsp_pyramid.settings import unknown_variables
from fsp_pyramid.settings.server import SIZES, VARIABLES, adjustments

PROXIED = {'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'}


def parsed(section: dict[str, str], **environ: str) -> Adjustments:
    return Adjustments(**adjustments(section, environ))


def addresses(found: Adjustments) -> list[tuple[str, int]]:
    return [address[:2] for *_, address in found.listen]


def test_defaults_are_loopback_without_proxy() -> None:
    found = parsed({})
    assert addresses(found) == [('127.0.0.1', 6543)]
    assert found.trusted_proxy is None


def test_variables_override_the_section() -> None:
    found = parsed(
        {'host': '127.0.0.2', 'port': '1', 'trusted_proxy': '10.0.0.1'},
        FSP_SERVER_HOST='0.0.0.0',
        FSP_SERVER_PORT=' 8000 ',
        FSP_SERVER_TRUSTED_PROXY='*',
    )
    assert addresses(found) == [('0.0.0.0', 8000)]
    assert found.trusted_proxy == '*'


def test_trusted_proxy_has_its_headers() -> None:
    found = parsed({}, FSP_SERVER_TRUSTED_PROXY='10.0.0.1')
    assert (found.trusted_proxy_headers, found.trusted_proxy_count) == (PROXIED, 1)
    found = parsed({'trusted_proxy': '10.0.0.1', 'trusted_proxy_headers': 'forwarded', 'trusted_proxy_count': '2'})
    assert (found.trusted_proxy_headers, found.trusted_proxy_count) == ({'forwarded'}, 2)


def test_empty_values_count_as_not_set() -> None:
    found = parsed({'host': '', 'port': ' ', 'trusted_proxy': ''}, FSP_SERVER_PORT='')
    assert addresses(found) == [('127.0.0.1', 6543)]
    assert found.trusted_proxy is None


def test_section_may_name_several_addresses_or_a_socket() -> None:
    assert addresses(parsed({'listen': '127.0.0.1:1 127.0.0.2:2'})) == [('127.0.0.1', 1), ('127.0.0.2', 2)]
    assert adjustments({'unix_socket': '/run/a.sock'}, {}).keys() - SIZES.keys() == {'unix_socket'}
    assert addresses(parsed({'listen': '127.0.0.1:1 127.0.0.2:2'}, FSP_SERVER_PORT='3')) == [('127.0.0.1', 3)]


@pytest.mark.parametrize('host', ['::1', '[::1]'])
def test_ipv6_address_may_have_brackets(host: str) -> None:
    assert adjustments({}, {'FSP_SERVER_HOST': host})['host'] == '[::1]'


def test_complaints_name_variable_or_key() -> None:
    section = {'port': '1x', 'threads': '4', 'conection_limit': '5'}
    environ = {'FSP_SERVER_HOST': 'a b', 'FSP_SERVER_PORT': '70000', 'FSP_SERVER_TRUSTED_PROXY': 'nginx'}
    with pytest.raises(ConfigurationError) as caught:
        adjustments(section, environ)
    assert str(caught.value).splitlines() == [
        'fsp_pyramid cannot serve with these settings:',
        '  [server:main] threads: the server takes fsp.threads, write that in [app:main]',
        '  [server:main] conection_limit: waitress has no such option; did you mean connection_limit?',
        "  [server:main] port: '1x' will not do: write a whole number from 0 (any free port) to 65535",
        "  FSP_SERVER_HOST: 'a b' will not do: write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all",
        "  FSP_SERVER_PORT: '70000' will not do: write a whole number from 0 (any free port) to 65535",
        "  FSP_SERVER_TRUSTED_PROXY: 'nginx' will not do: write the proxy's address, or * if clients cannot connect",
    ]


@pytest.mark.parametrize(
    ('section', 'said'),
    [
        ({'host': 'nope.invalid'}, "[server:main] host: 'nope.invalid' will not do: this name has no address"),
        ({'host': 'a..b'}, "[server:main] host: 'a..b' will not do: this name has no address"),
        ({'trusted_proxy': '*', 'trusted_proxy_count': 'x'}, "trusted_proxy_count: 'x' will not do: write a whole"),
        ({'connection_limit': '1.5'}, "[server:main] connection_limit: '1.5' will not do: write a whole number"),
        (
            {'unix_socket': '/s', 'unix_socket_perms': 'rw'},
            "unix_socket_perms: 'rw' will not do: write an octal number",
        ),
        ({'listen': '*:80', 'port': '81'}, '[server:main] listen: it says where to listen, and so does port'),
        (
            {'unix_socket': '/s', 'host': '::1', 'port': '81'},
            'unix_socket: it says where to listen, and so does host and',
        ),
        (
            {'listen': '*:80', 'unix_socket': '/s'},
            '[server:main] listen: it says where to listen, and so does unix_socket',
        ),
        ({'listen': 'nope.invalid:80'}, "[server:main] listen: 'nope.invalid:80' will not do: Invalid host/port"),
        ({'trusted_proxy_headers': 'forwarded'}, 'trusted_proxy_headers: it has no meaning without trusted_proxy'),
        ({'trusted_proxy_count': '2'}, 'trusted_proxy_count: it has no meaning without trusted_proxy'),
        (
            {'trusted_proxy': '*', 'trusted_proxy_headers': 'x-for'},
            "trusted_proxy_headers: 'x-for' will not do: Received",
        ),
    ],
)
def test_section_that_waitress_refuses_is_explained(section: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        adjustments(section, {})
    (line,) = str(caught.value).splitlines()[1:]
    assert said in line


def test_host_of_the_environment_without_an_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"FSP_SERVER_HOST: 'nope.invalid' will not do: this name has no"):
        adjustments({}, {'FSP_SERVER_HOST': 'nope.invalid'})


def test_bad_variable_ends_pserve_with_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FSP_SERVER_PORT', 'x')
    with pytest.raises(ConfigurationError, match='FSP_SERVER_PORT'):
        server.make_server({})
    with pytest.raises(SystemExit, match='FSP_SERVER_PORT'):
        server.make_server({'__script__': 'pserve'})


def test_variables_of_the_server_are_known() -> None:
    assert set(VARIABLES) == {'FSP_SERVER_HOST', 'FSP_SERVER_PORT', 'FSP_SERVER_TRUSTED_PROXY'}
    assert unknown_variables({}, dict.fromkeys(VARIABLES, 'x')) == []
    (warning,) = unknown_variables({}, {'FSP_SERVER_PROT': '1'})
    assert warning.endswith('did you mean FSP_SERVER_PORT?')
    (warning,) = unknown_variables({}, {'FSP_SERVER_THREADS': '4'})
    assert warning.endswith('did you mean FSP_THREADS?')


def test_application_that_includes_the_provider_gets_no_signal_handlers() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Configurator(settings={'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/x'}) as config:
        config.include('fsp_pyramid')
    config.make_wsgi_app()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_server_takes_threads_and_timeout_from_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Any, ...]] = []
    monkeypatch.setattr(server, 'serve', lambda app, timeout, **options: served.append((timeout, options['threads'])))
    settings = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/tmp/none'}
    with Configurator(settings=settings | {'fsp.threads': '7', 'fsp.shutdown.timeout': '3'}) as config:
        config.include('fsp_pyramid')
    application = config.make_wsgi_app()
    run = server.make_server({}, port='1')
    run(application)
    run(application.__call__)  # like middleware, it has no registry
    assert served == [(3.0, 7), (3.0, 7)]


def test_only_the_standalone_application_limits_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host has paths of its own, which may take files."""
    served: list[Any] = []
    monkeypatch.setattr(server, 'serve', lambda app, timeout, **options: served.append(options['upload_paths']))
    settings = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/tmp/none'}
    with Configurator(settings=settings) as config:
        config.include('fsp_pyramid')
    for application in (
        config.make_wsgi_app(),
        main({}, **settings),
        main({}, **settings | {'fsp.console.local': '1'}),
    ):
        server.make_server({}, port='1')(application)
    assert served == [('',), (), ('/fsp-console/upload/',)]


def test_application_without_the_provider_is_refused() -> None:
    application = Configurator().make_wsgi_app()
    with pytest.raises(ConfigurationError, match='include fsp_pyramid'):
        server.make_server({})(application)
