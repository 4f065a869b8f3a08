"""Directories of the cache and of temporary files."""

import os
from pathlib import Path

import pytest

from fsp_pyramid.diagnosis import Proxy, probes

from ..services import small_disk
from .conftest import Make, found, said


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    path = tmp_path / 'cache'
    path.mkdir(mode=0o700)
    return path


def levels(installation: object, name: str) -> list[str]:
    return [text.split()[0] for text in said(installation, f'directories.{name}')]  # type: ignore[arg-type]


def test_right_directory_is_ok(make: Make, cache: Path) -> None:
    results = found(make(public__cache_dir=str(cache), public__cache_size='1 MB'), 'directories')
    assert {result.id: str(result.level) for result in results} == {
        'directories.temporary': 'ok',
        'directories.owner': 'ok',
        'directories.mode': 'ok',
        'directories.space': 'ok',
        'directories.file-system': 'ok',
    }


def test_absent_directory(make: Make, cache: Path) -> None:
    assert levels(make(), 'cache') == ['warning']
    assert levels(make(public__cache_dir=str(cache / 'new')), 'cache') == ['ok']
    assert not (cache / 'new').exists()
    (cache / 'file').touch()
    assert said(make(public__cache_dir=str(cache / 'file' / 'new')), 'directories.cache') == [
        f'failure directories.cache: {cache / "file"} is no directory'
    ]


@pytest.mark.parametrize(('mode', 'level'), [(0o777, 'failure'), (0o755, 'warning'), (0o750, 'ok')])
def test_mode(make: Make, cache: Path, mode: int, level: str) -> None:
    cache.chmod(mode)
    assert levels(make(public__cache_dir=str(cache)), 'mode') == [level]


def test_owner(make: Make, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, 'geteuid', lambda: owner + 4711)
    assert levels(make(public__cache_dir=str(cache)), 'owner') == ['warning']


def test_space(make: Make, cache: Path) -> None:
    assert levels(make(public__cache_dir=str(cache), public__cache_size='9000000 GB'), 'space') == ['warning']


def test_full_disk_for_temporary_files(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, 'LEAST_TEMPORARY', 1 << 60)
    assert levels(make(), 'temporary') == ['failure']


def test_part_on_another_file_system(make: Make, cache: Path) -> None:
    with small_disk(cache, 512) as place:
        (cache / 'parts').symlink_to(place)
        assert levels(make(public__cache_dir=str(cache)), 'file-system') == ['failure']


def test_nginx_has_access_to_files(make: Make, cache: Path) -> None:
    settings = {'public__cache_dir': str(cache), 'public__sendfile': 'nginx'}
    result = found(make(**settings, proxy=Proxy(user='nobody')), 'directories.sendfile')[-1]
    assert result.level == 'failure'
    assert 'nobody, the user of nginx, may not enter ' in result.found
    other = Proxy(user='nobody', alias='/var/cache/elsewhere/')
    assert levels(make(**settings, proxy=other), 'sendfile') == ['failure']
    assert levels(make(**settings, proxy=Proxy(user='no-such-user')), 'sendfile') == ['skipped']
    assert levels(make(**settings, proxy=Proxy(user='root', alias=f'{cache}/')), 'sendfile') == ['ok']
