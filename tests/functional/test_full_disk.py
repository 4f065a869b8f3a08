"""Full disks, on real file systems: reported as such, with recovery as soon as there is room again."""

import io
import logging
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from webtest import TestApp

from fsp_pyramid.testing import Sandbox

from ..conftest import Source
from ..protocol.beefree import Beefree, outcome
from ..services import small_disk

SIZE = 2048  # kilobytes


def picture(side: int) -> bytes:
    """Return an incompressible PNG."""
    file = io.BytesIO()
    Image.frombytes('RGB', (side, side), random.Random(1).randbytes(3 * side * side)).save(file, 'PNG')
    return file.getvalue()


LARGE, SMALL = picture(1000), picture(20)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, SIZE) as disk:
        yield disk


def fill(disk: Path) -> Path:
    """Fill the disk to the last byte, and return the file to remove."""
    path = disk / 'filling'
    with open(path, 'wb', buffering=0) as file:
        try:
            while file.write(bytes(4096)) == 4096:
                pass
        except OSError:
            return path
    return path


@pytest.fixture
def client(make: Callable[..., Any], sandbox: Sandbox, settings: dict[str, str]) -> Callable[..., Beefree]:
    """Return a factory of users of an application with additional settings."""

    def client(**more: str) -> Beefree:
        beefree = Beefree(make(sources__allow='127.0.0.1', folders='/ /Shared/Files/{uid}', **more))
        beefree.app.authorization = ('Basic', ('beefree', 'beefree'))
        return beefree

    return client


@pytest.fixture(autouse=True)
def unseeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.sandbox.seed.tree', lambda: iter(()))


def errors(caplog: pytest.LogCaptureFixture) -> str:
    """Return the log messages at ERROR, after a check that there is no traceback."""
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in records), caplog.text
    return '\n'.join(record.getMessage() for record in records)


@pytest.fixture
def temporary(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Redirect temporary files to the small disk."""
    monkeypatch.setattr(tempfile, 'tempdir', str(disk))
    return disk


def check_told(answer: Any) -> None:
    assert outcome(answer) == (503, 3904)
    assert 'no room' in answer.json['details']
    assert int(answer.headers['Retry-After']) > 0


def test_upload_without_temporary_space_is_refused(
    client: Callable[..., Beefree],
    source: Source,
    temporary: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beefree = client(public__cache_dir=str(tmp_path / 'cache'))
    check_told(beefree.upload('/a.png', source.offer(LARGE)))  # larger than the disk
    assert str(temporary) in errors(caplog)
    filling = fill(temporary)
    check_told(beefree.upload('/a.png', source.offer(LARGE)))
    assert outcome(beefree.upload('/small.png', source.offer(SMALL))) == (201, None)  # small enough for memory
    assert beefree.names('/') == ['small.png']
    filling.unlink()
    medium = picture(700)
    assert outcome(beefree.upload('/a.png', source.offer(medium))) == (201, None)


def test_upload_with_missing_temporary_directory_is_refused(
    client: Callable[..., Beefree],
    source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beefree = client(public__cache_dir=str(tmp_path / 'cache'))
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'gone'))
    check_told(beefree.upload('/a.png', source.offer(LARGE)))
    assert str(tmp_path / 'gone') in errors(caplog)


@pytest.mark.parametrize('cache', ['temporary', 'directory'])
def test_public_content_without_space_is_unavailable(
    client: Callable[..., Beefree],
    source: Source,
    temporary: Path,
    cache: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    filling = fill(temporary)
    beefree = client(**({} if cache == 'temporary' else {'public__cache_dir': str(temporary / 'cache')}))
    answer = beefree.upload('/small.png', source.offer(SMALL))
    assert outcome(answer) == (201, None)  # uncached content is fetched later
    meta = answer.json['data']['meta']
    public = beefree.public(meta['public-url'])
    assert public.status_int == 503
    assert int(public.headers['Retry-After']) > 0
    assert 'omething went wrong' not in public.text
    assert beefree.public(meta['thumbnail']).status_int in (200, 503)  # 200 is a placeholder
    assert str(temporary) in errors(caplog)
    filling.unlink()


def test_upload_to_full_sandbox_is_unavailable(
    client: Callable[..., Beefree],
    source: Source,
    disk: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    beefree = client(egnyte__url=f'sandbox:{disk / "egnyte"}', public__cache_dir=str(tmp_path / 'cache'))
    assert outcome(beefree.create('/directory/')) == (201, None)
    filling = fill(disk)
    answer = beefree.upload('/a.png', source.offer(LARGE))
    assert answer.status_int == 503
    assert answer.json['code'] != 3001
    assert int(answer.headers['Retry-After']) > 0
    assert str(disk) in errors(caplog)
    filling.unlink()
    assert outcome(beefree.upload('/small.png', source.offer(SMALL))) == (201, None)


def test_readiness_fails_on_full_disk(client: Callable[..., Beefree], temporary: Path) -> None:
    local = TestApp(client().app.app, extra_environ={'REMOTE_ADDR': '127.0.0.1', 'HTTP_HOST': 'localhost'})
    fill(temporary)
    checks = {check['name']: check for check in local.get('/fsp-ops/ready', status=503).json['checks']}
    assert not checks['tmpdir']['ok']
    assert str(temporary) in checks['tmpdir']['reason']
