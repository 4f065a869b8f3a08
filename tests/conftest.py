"""What most tests need: an Egnyte in a directory of their own."""

from pathlib import Path

import pytest

from fsp_pyramid.testing import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty Egnyte, in process."""
    return Sandbox(tmp_path / 'egnyte')
