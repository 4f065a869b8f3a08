"""Traversal from URL to resource: trailing slash, special names and hostile headers."""

from collections.abc import Callable
from typing import Any

import pytest
from pyramid.traversal import find_resource, lineage

from fsp_pyramid.events import DirectoryCreated
from fsp_pyramid.protocol.resources import Directory, File
from fsp_pyramid.testing import Sandbox

from .envelope import ask, path_info, read

HOME = '/Shared/Beefree/demo'
Make = Callable[..., Any]


def test_rewriting_headers_are_ignored(make: Make, egnyte: Sandbox) -> None:
    application = make()
    assert read(ask(application, '/fsp/Notes.txt', HTTP_X_VHM_ROOT='/shared')) == (200, None)
    # An invalid upload, instead of the deletion that the header requests.
    assert read(ask(application, '/fsp/Notes.txt', 'POST', HTTP_X_HTTP_METHOD_OVERRIDE='DELETE')) == (400, 3500)
    assert egnyte.exists(f'{HOME}/Notes.txt')


@pytest.mark.parametrize(
    'name', ['@@x', '@@', 'a;v=1', 'a%2Fb', '...', 'é\N{NARROW NO-BREAK SPACE}PM.png', ' a', '%FF']
)
def test_special_names_are_plain_names(make: Make, egnyte: Sandbox, name: str) -> None:
    egnyte.api('POST', f'/pubapi/v1/fs{HOME}', json={'action': 'add_folder'})
    application = make()
    assert read(ask(application, f'/fsp/{path_info(name)}/', 'POST')) in {(201, None), (400, 3905)}
    verdict = (200, None) if egnyte.exists(f'{HOME}/{name.replace("%", "%25")}') else (404, 3200)
    assert read(ask(application, f'/fsp/{path_info(name)}/')) == verdict
    assert read(ask(application, f'/fsp/{path_info(name)}')) == (404, 3200)


@pytest.mark.parametrize(
    'path',
    [
        '//',
        '/a//',
        '//a',
        '/a//b',
        '/..',
        '/../x',
        '/a/..',
        '/.',
        '/./a',
        '/a\n',
        '/\n',
        '/a\nb/',
        '/\0',
        '/a\x7f',
        '/a\\b',
    ],
)
def test_invalid_paths_are_bad_requests(make: Make, path: str) -> None:
    application = make()
    for method in ('GET', 'POST', 'DELETE', 'PATCH', 'PUT'):
        assert read(ask(application, f'/fsp{path}', method)) == (400, 3500)


def test_resources_are_found_by_path(make: Make, egnyte: Sandbox) -> None:
    found: list[Any] = []

    def find(event: DirectoryCreated) -> None:
        root = event.request.root
        found.extend(find_resource(root, path) for path in ('/', '/a/b', '/a/b/', ('', 'a', 'b')))
        found.append(find_resource(event.request.context, 'c/d/'))

    application = make(
        lambda config: config.include('fsp_pyramid'),
        lambda config: config.add_subscriber(find, DirectoryCreated),
    )
    assert read(ask(application, '/fsp/new/', 'POST')) == (201, None)
    assert [str(resource) for resource in found] == ['/', '/a/b', '/a/b/', '/a/b', '/new/c/d/']
    assert [type(resource) for resource in found] == [Directory, File, Directory, File, Directory]
    assert [resource.__name__ for resource in lineage(found[1])] == ['b', 'a', '']
