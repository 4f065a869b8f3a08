"""Our own service passes all checks, wherever it is."""

import datetime as dt
import ipaddress
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fsp_pyramid import main
from fsp_pyramid.conformance import Options, Outcome, run

from ..functional.processes import serving
from .provider import Server

ROOT = Path(__file__).parents[2]
SKIPPED = ['transport.https', 'public.https']  # on this machine


def check(base_url: str, username: str = 'beefree', **more: Any) -> None:
    """Require that all checks pass."""
    report = run(
        Options(base_url, username, more.pop('password', 'beefree'), **({'timeout': 100.0, 'uid': 'demo'} | more))
    )
    bad = report.of(Outcome.FAIL) + report.of(Outcome.WARN)
    assert [(result.check.id, result.got) for result in bad] == []
    assert [result.check.id for result in report.of(Outcome.SKIP)] == SKIPPED
    assert (report.status, report.left) == (0, [])


@pytest.fixture
def application(tmp_path: Path) -> Any:
    settings = {
        'fsp.username': 'beefree',
        'fsp.password': 'beefree',
        'fsp.egnyte.url': f'sandbox:{tmp_path / "egnyte"}',
        'fsp.sources.allow': '127.0.0.1',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
    }
    return main({}, **settings)


@contextmanager
def served(application: Any, context: ssl.SSLContext | None = None) -> Iterator[str]:
    with Server() as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.base_environ['HTTPS'] = 'on'
        server.set_app(application)
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield f'{"https" if context else "http"}://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_standalone_passes(tmp_path: Path) -> None:
    with serving(Path(shutil.copy(ROOT / 'development.ini', tmp_path))) as server:
        check(f'http://127.0.0.1:{server.port}/fsp')


def test_mounted_passes(tmp_path: Path) -> None:
    example = ROOT / 'examples' / 'host_app'
    with serving(Path(shutil.copy(example / 'host.ini', tmp_path)), PYTHONPATH=str(example)) as server:
        check(f'http://127.0.0.1:{server.port}/files/fsp')


def test_below_a_script_name_passes(application: Any) -> None:
    def below(environ: dict[str, Any], start_response: Any) -> Any:
        assert environ['PATH_INFO'].startswith('/ab c/')
        path = environ['PATH_INFO'].removeprefix('/ab c')
        return application(environ | {'SCRIPT_NAME': '/ab c', 'PATH_INFO': path}, start_response)

    with served(below) as url:
        check(f'{url}/ab%20c/fsp')


def test_https_passes(application: Any, tmp_path: Path) -> None:
    context, certificate = certified(tmp_path)
    with served(application, context) as url:
        check(f'{url}/fsp', ca_file=str(certificate))


def test_unknown_certificate_is_told_once(application: Any, tmp_path: Path) -> None:
    context, _ = certified(tmp_path)
    with served(application, context) as url:
        report = run(Options(f'{url}/fsp', 'beefree', 'beefree'))
    assert [(result.check.id, result.got.partition(':')[0]) for result in report.of(Outcome.FAIL)] == [
        ('transport.answers', 'TLS failed')
    ]
    assert report.status == 1


def certified(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a context with a certificate of its own for 127.0.0.1, and the file of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, '127.0.0.1')])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    own, private = directory / 'certificate.pem', directory / 'key.pem'
    own.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, private)
    return context, own
