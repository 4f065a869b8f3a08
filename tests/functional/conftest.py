"""What the functional tests share."""

from pathlib import Path

import pytest

from fsp_pyramid.testing import Sandbox


@pytest.fixture(scope='session')
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of a sandbox with the seed tree. Copy it: that is a hundred times faster than to seed."""
    directory = tmp_path_factory.mktemp('seeded')
    assert Sandbox(directory, seed=True).exists('/Shared/Brand')
    return directory
