"""An application with ``fsp.accounts.mode = oauth`` and a sandbox, both on real sockets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from webtest.http import StopableWSGIServer

from fsp_pyramid import main
from fsp_pyramid.testing import Sandbox

from ..sandbox.servers import serving
from .visitor import Site

KEY = Fernet.generate_key().decode()


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve an application in a thread; yield its URL."""
    server = StopableWSGIServer.create(application, threads=4)
    try:
        yield server.application_url.rstrip('/')
    finally:
        server.shutdown()


@pytest.fixture
def egnyte(sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
    """Serve the sandbox; yield its URL."""
    with serving(tmp_path / 'egnyte') as url:
        yield url


@pytest.fixture
def ini(egnyte: str, tmp_path: Path) -> dict[str, str]:
    """Return the settings of an application whose users connect accounts."""
    return {
        'fsp.username': 'beefree',
        'fsp.password': 'secret-password',
        'fsp.egnyte.url': egnyte,
        'fsp.public.secret': 's' * 32,
        'fsp.accounts.mode': 'oauth',
        'fsp.accounts.keys': KEY,
        'fsp.oauth.key': 'sandbox-key',
        'fsp.oauth.secret': 'sandbox-secret',
        'fsp.database_url': f'sqlite:///{tmp_path / "accounts.sqlite"}',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
        'tm.annotate_user': 'false',
    }


@pytest.fixture
def serve() -> Iterator[Callable[[Any], Site]]:
    """Yield a function that serves an application until the test ends."""
    with ExitStack() as stack:
        yield lambda application: Site(application, stack.enter_context(served(application)))


@pytest.fixture
def make(ini: dict[str, str], serve: Callable[[Any], Site]) -> Callable[..., Site]:
    """Return a factory of applications with settings changed: ``make(oauth__domain='ask')``."""

    def make(**changes: str) -> Site:
        return serve(main({}, **ini | {f'fsp.{name.replace("__", ".")}': value for name, value in changes.items()}))

    return make


@pytest.fixture
def site(make: Callable[..., Site]) -> Site:
    return make()
