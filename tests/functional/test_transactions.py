"""What becomes of a change at Egnyte, and of the answer, in all the ways in which pyramid_tm ends a request."""

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
    """Create a directory in a host whose subscriber does what the test wants, and tell whether it is there then."""
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
    """As a subscriber, and as a hook."""
    raise RuntimeError('not with me')


def test_a_request_that_ends_well(create: Callable[..., bool]) -> None:
    assert create(lambda event: None, 201)


def test_a_view_that_raises(create: Callable[..., bool]) -> None:
    assert not create(refuse, 503)


def test_a_request_that_is_doomed(create: Callable[..., bool]) -> None:
    # pyramid_tm answers what the view had said.
    assert not create(lambda event: event.request.tm.doom(), 201)


@pytest.mark.parametrize('word', ['abort', 'commit'])
def test_a_commit_veto(create: Callable[..., bool], word: str) -> None:
    def wish(event: DirectoryCreated) -> None:
        event.request.response.headers['X-Tm'] = word

    assert create(wish, 201, commit_veto='pyramid_tm.default_commit_veto') == (word == 'commit')


def test_a_hook_that_refuses_the_commit(create: Callable[..., bool]) -> None:
    assert not create(lambda event: event.request.tm.get().addBeforeCommitHook(refuse), 503)


@pytest.mark.parametrize('end', ['commit', 'abort'])
def test_an_application_around_ours_has_the_last_word(create: Callable[..., bool], end: str) -> None:
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


def test_requests_that_pyramid_tm_leaves_alone(create: Callable[..., bool]) -> None:
    assert not create(refuse, 503, activate_hook=f'{__name__}.never')


def never(request: Any) -> bool:
    """A host whose transactions are not for us."""
    return False
