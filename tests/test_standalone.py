"""The stand-alone application: one class for all requests, instead of one for each."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.interfaces import INewResponse
from pyramid.request import Request
from pyramid.scripting import prepare
from webtest import TestApp

from fsp_pyramid import main

SETTINGS = {
    'fsp.username': 'beefree',
    'fsp.password': 'secret-password',
    'tm.manager_hook': 'pyramid_tm.explicit_manager',
    'tm.annotate_user': 'false',
}


@pytest.fixture
def application(tmp_path: Path) -> Any:
    return main({}, **SETTINGS, **{'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}'})


@pytest.fixture
def requests(application: Any) -> Callable[[], list[Request]]:
    """Return a function that sends two requests, and returns them as the application saw them."""

    def send() -> list[Request]:
        seen: list[Request] = []
        application.registry.registerHandler(lambda event: seen.append(event.request), (INewResponse,))
        client = TestApp(application)
        client.authorization = ('Basic', ('beefree', 'secret-password'))
        for _ in range(2):
            client.get('/fsp/', headers={'X-BEE-ClientId': 'client', 'X-BEE-Uid': 'u1'})
        return seen

    return send


def test_requests_share_a_class_and_no_value(requests: Callable[[], list[Request]]) -> None:
    first, second = requests()
    assert type(first) is type(second)
    assert isinstance(first, Request)
    assert first.fsp is first.fsp
    assert first.fsp is not second.fsp
    assert first.fsp_stats.support_id != second.fsp_stats.support_id
    assert first.tm is not second.tm
    assert first.fsp_connect_url('client', 'u1') is None


def test_requests_of_commands_have_the_same_properties(application: Any) -> None:
    environment = prepare(registry=application.registry)
    try:
        assert environment['request'].fsp_stats.calls == 0
        assert environment['request'].fsp_connect_available is False
    finally:
        environment['closer']()


def test_class_of_requests_that_an_include_chose_is_kept(tmp_path: Path) -> None:
    application = main(
        {},
        **SETTINGS,
        **{'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}', 'pyramid.includes': f'{__name__}.own_factory'},
    )
    request = application.request_factory.blank('/')
    assert isinstance(request, OwnRequest)
    assert request.answer == 42


class OwnRequest(Request):
    """The requests of an application that an ini file extends."""

    answer = 42


def own_factory(config: Any) -> None:
    config.set_request_factory(OwnRequest)


def test_service_with_a_real_egnyte_loads_neither_pillow_nor_the_sandbox() -> None:
    """Each process would need their memory, and the time to import them at its start."""
    egnyte = {'fsp.egnyte.url': 'https://acme.egnyte.com', 'fsp.egnyte.token': 'token', 'fsp.public.secret': 'x' * 40}
    code = (
        'import sys\n'
        'from fsp_pyramid import main\n'
        f'main({{}}, **{SETTINGS | egnyte!r})\n'
        'print([name for name in ("PIL", "fsp_pyramid.sandbox", "fsp_pyramid.protocol") if name in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout == "['fsp_pyramid.protocol']\n"
