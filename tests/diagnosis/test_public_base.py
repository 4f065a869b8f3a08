"""Public links lead to this service."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid import main
from fsp_pyramid.diagnosis import Installation, Options, calls_needed
from fsp_pyramid.testing import Sandbox

from ..ports import free_port
from ..sandbox.servers import serving_app
from .conftest import GOOD, SECRET, Make, found, said


class Front:
    """WSGI application that forwards to another one, which is made later."""

    app: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self.app(environ, start_response)


@pytest.fixture
def front() -> Iterator[tuple[Front, str]]:
    front = Front()
    with serving_app(front) as url:
        yield front, url


@pytest.fixture
def running(front: tuple[Front, str], sandbox: Sandbox, tmp_path: Path) -> Installation:
    """Return the installation of a running service with one file."""
    sandbox.api('POST', '/pubapi/v1/fs/Shared/Brand', json={'action': 'add_folder'})
    sandbox.upload('/Shared/Brand/a b.txt', b'text')
    settings = {
        'fsp.username': 'bridge',
        'fsp.password': GOOD,
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.folders': '/ /Shared/Brand',
        'fsp.public.secret': SECRET,
        'fsp.public.base_url': f'{front[1]}/fsp-public',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
    }
    front[0].app = main({}, **settings)
    return Installation.of(front[0].app.registry, {})


def test_no_base_url(make: Make) -> None:
    found_texts = said(make(), 'public')
    assert [text.split(':')[0] for text in found_texts] == ['ok public.base', 'skipped public.answers']
    real = make(egnyte__url='https://127.0.0.1:1', egnyte__token='t')
    assert said(real, 'public.base')[0].startswith('warning ')


def test_service_answers_below_its_base(running: Installation, front: tuple[Front, str]) -> None:
    base, answers = found(running, 'public')
    assert (base.level, base.remedy) == ('failure', 'use https')
    assert answers.level == 'ok'
    assert answers.found.startswith('an fsp_pyramid answers; that it is this one')


def test_other_server_below_the_base_is_a_failure(make: Make, front: tuple[Front, str]) -> None:
    def other(environ: object, start_response: Callable[..., Any]) -> list[bytes]:
        start_response('200 OK', [('Content-Type', 'text/html')])
        return [b'Welcome']

    front[0].app = other
    installation = make(public__base_url=f'{front[1]}/fsp-public')
    assert said(installation, 'public.answers') == ['failure public.answers: another server answers: status 200']


def test_no_server_below_the_base_is_a_warning(make: Make) -> None:
    port = free_port()
    (result,) = found(make(public__base_url=f'https://127.0.0.1:{port}'), 'public.answers')
    assert (result.level, result.found) == ('warning', f'nothing answers at 127.0.0.1:{port}: ConnectionError')


def test_file_is_loaded_through_its_link(running: Installation) -> None:
    options = Options(with_egnyte=False, with_public_link=True)
    assert calls_needed(running, options) == 4
    assert said(running, 'public.link', with_public_link=True) == [
        'ok public.link: a b.txt was loaded: status 206, type text/plain'
    ]


def test_link_with_another_secret_is_a_failure(running: Installation, make: Make, front: tuple[Front, str]) -> None:
    other = make(folders='/ /Shared/Brand', public__secret=SECRET[::-1], public__base_url=f'{front[1]}/fsp-public')
    (text,) = said(other, 'public.link', with_public_link=True)
    assert text.startswith('failure public.link: a b.txt was not loaded: status 404')


def test_folder_without_a_file_is_skipped(running: Installation, sandbox: Sandbox) -> None:
    sandbox.api('DELETE', '/pubapi/v1/fs/Shared/Brand/a b.txt')
    assert said(running, 'public.link', with_public_link=True) == [
        'skipped public.link: no file in /Shared/Brand: upload one into one of them, and try again'
    ]


def test_file_of_a_user_is_found_with_the_default_folders(
    make: Make, sandbox: Sandbox, front: tuple[Front, str], tmp_path: Path
) -> None:
    settings = {'public__base_url': f'{front[1]}/fsp-public'}
    installation = make(**settings)
    front[0].app = main({}, **installation.ini)
    told = said(installation, 'public.link', with_public_link=True)
    assert told == ['skipped public.link: no file in /Shared/Beefree: upload one into one of them, and try again']
    for uid in ('anna', 'ben', 'carla', 'dora'):
        sandbox.api('POST', f'/pubapi/v1/fs/Shared/Beefree/{uid}', json={'action': 'add_folder'})
    (text,) = said(installation, 'public.link', with_public_link=True)
    assert '/Shared/Beefree, /Shared/Beefree/anna, /Shared/Beefree/ben, /Shared/Beefree/carla: upload' in text
    sandbox.upload('/Shared/Beefree/ben/logo.txt', b'text')
    assert said(installation, 'public.link', with_public_link=True) == [
        'ok public.link: logo.txt was loaded: status 206, type text/plain'
    ]
