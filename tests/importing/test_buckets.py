"""Buckets, with a server of S3 on a socket."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from fsp_pyramid.scripts.import_assets import main
from fsp_pyramid.testing import Sandbox

from ..imaging.pictures import picture

# Used from the thread of s3fs, and closed by the end of the process.
pytestmark = pytest.mark.filterwarnings('ignore::ResourceWarning', 'ignore::DeprecationWarning')


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a bucket "pics"."""
    server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ('AWS_ENDPOINT_URL', f'http://{host}:{port}'), ('AWS_ACCESS_KEY_ID', 'key'),
        ('AWS_SECRET_ACCESS_KEY', 'secret'), ('AWS_DEFAULT_REGION', 'us-east-1'),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    system = fsspec.filesystem('s3', skip_instance_cache=True)
    system.mkdir('pics')
    for name in ('mail/a.png', 'mail/deep/b ü.png', 'other/c.png'):
        system.pipe(f'pics/{name}', picture(len(name), 9))
    yield
    fsspec.filesystem('s3').clear_instance_cache()
    server.stop()


@pytest.mark.usefixtures('bucket')
def test_bucket_is_imported(ini: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(ini), '--uid', 'anna', '--into', '/imported/', '--keep-tree']
    assert main([*words, 's3://pics/mail']) == 0
    assert 's3://pics/mail/deep/b ü.png -> /imported/deep/b ü.png' in capsys.readouterr().out
    assert sandbox.content('/Shared/anna/imported/a.png') == picture(10, 9)
    assert sandbox.content('/Shared/anna/imported/deep/b ü.png') == picture(len('mail/deep/b ü.png'), 9)
    assert not sandbox.exists('/Shared/anna/imported/c.png')
    assert main([*words, 's3://none/mail']) == 2
    assert 's3://none/mail cannot be listed' in capsys.readouterr().err
