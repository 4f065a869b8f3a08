"""Commit or rollback of a change at Egnyte, and the answer, for each way in which pyramid_tm ends a request."""

from collections.abc import Callable
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.wsgi import wsgiapp

from fsp_pyramid.events import DirectoryCreated
from fsp_pyramid.testing import Sandbox

from .envelope import ask, read

Step = Callable[[DirectoryCreated], object]
Around = Callable[[Any], Any]


@pytest.fixture(params=['', 'pyramid_tm.explicit_manager'], ids=['implicit', 'explicit'])
def create(
    request: pytest.FixtureRequest, settings: dict[str, str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., bool]:
    """Create a directory in a host with the test's subscriber, and return True if it exists afterwards."""
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))
    hook = {'tm.manager_hook': request.param} if request.param else {}

    def create(subscriber: Step, status: int, around: Around | None = None, **tm: str) -> bool:
        with Configurator(settings=settings | hook | {f'tm.{name}': value for name, value in tm.items()}) as config:
            config.include('fsp_pyramid')
            config.add_subscriber(subscriber, DirectoryCreated)
        application = config.make_wsgi_app()
        assert read(ask(around(application) if around else application, '/fsp/new/', 'POST'))[0] == status
        return sandbox.exists('/Shared/Beefree/demo/new')

    return create


def refuse(*args: object) -> None:
    """Fail, as a subscriber or a hook."""
    raise RuntimeError('not with me')


def test_successful_request_commits(create: Callable[..., bool]) -> None:
    assert create(lambda event: None, 201)


def test_raising_view_aborts(create: Callable[..., bool]) -> None:
    assert not create(refuse, 503)


def test_doomed_request_aborts(create: Callable[..., bool]) -> None:
    # pyramid_tm returns the response of the view.
    assert not create(lambda event: event.request.tm.doom(), 201)


@pytest.mark.parametrize('word', ['abort', 'commit'])
def test_commit_veto_decides(create: Callable[..., bool], word: str) -> None:
    def wish(event: DirectoryCreated) -> None:
        event.request.response.headers['X-Tm'] = word

    assert create(wish, 201, commit_veto='pyramid_tm.default_commit_veto') == (word == 'commit')


def test_failing_before_commit_hook_aborts(create: Callable[..., bool]) -> None:
    assert not create(lambda event: event.request.tm.get().addBeforeCommitHook(refuse), 503)


@pytest.mark.parametrize('end', ['commit', 'abort'])
def test_outer_application_decides(create: Callable[..., bool], end: str) -> None:
    def around(application: Any) -> Any:
        def view(context: Any, request: Any) -> Any:
            response = wsgiapp(application)(context, request)
            if end == 'abort':
                request.tm.doom()
            return response

        with Configurator() as config:
            config.include('pyramid_tm')
            config.add_route('all', '/*all')
            config.add_view(view, route_name='all')
        return config.make_wsgi_app()

    assert create(lambda event: None, 201, around) == (end == 'commit')


def test_inactive_pyramid_tm_still_rolls_back(create: Callable[..., bool]) -> None:
    assert not create(refuse, 503, activate_hook=f'{__name__}.never')


def never(request: Any) -> bool:
    """Deactivate pyramid_tm, as an activate hook of a host."""
    return False
