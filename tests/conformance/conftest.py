"""One server for all tests, whose application they change."""

from collections.abc import Iterator
from typing import Any

import pytest

from fsp_pyramid.conformance import Options

from .provider import PASSWORD, USER, Server, running_server


@pytest.fixture(scope='session')
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def options(base_url: str, **more: Any) -> Options:
    return Options(base_url, USER, PASSWORD, **({'timeout': 60.0} | more))
