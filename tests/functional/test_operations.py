"""Metrics and logs of real server processes, behind a real proxy."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fsp_pyramid.testing import Sandbox

from ..ports import free_port
from ..services import missing
from ..timing import PATIENCE
from .envelope import caller
from .processes import Server, serving

TOP = Path(__file__).parents[2]
PASSWORD, SECRET = 'hush-a-password', 'hush-a-secret-of-more-than-32-characters'
TOKEN = 'hush-a-token-for-operators'


@pytest.fixture
def ini(egnyte: Sandbox, tmp_path: Path) -> Path:
    """Return a ``development.ini`` over the seed tree."""
    (tmp_path / 'var').mkdir()
    shutil.copytree(tmp_path / 'egnyte', tmp_path / 'var' / 'egnyte')
    return Path(shutil.copy(TOP / 'development.ini', tmp_path))


def counted(server: Server, name: str, **labels: str) -> float:
    """Return the sum of the samples with this name and these labels."""
    (answer,) = server.ask('GET /fsp-ops/metrics')
    assert answer.status == 200, answer.body
    families = text_string_to_metric_families(answer.body.decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_metrics_of_one_process(ini: Path) -> None:
    with serving(ini, FSP_OPS_METRICS='true') as server:
        health, ready = server.ask('GET /fsp-ops/health', 'GET /fsp-ops/ready')
        assert json.loads(health.body)['status'] == 'ok'
        assert all(check['ok'] for check in json.loads(ready.body)['checks'])
        server.ask('GET /fsp/', 'GET /fsp/none', headers=caller())
        assert counted(server, 'fsp_requests_total', operation='list') == 1
        assert counted(server, 'fsp_requests_total') == 2
        (stranger,) = server.ask('GET /fsp-ops/metrics', headers={'Host': 'files.example'})
        assert stranger.status == 403


def test_metrics_of_two_processes_are_summed(ini: Path, tmp_path: Path) -> None:
    directory = tmp_path / 'metrics'
    directory.mkdir()
    environ = {'FSP_OPS_METRICS': 'true', 'PROMETHEUS_MULTIPROC_DIR': str(directory)}
    other = Path(shutil.copy(ini, tmp_path / 'other.ini'))
    with serving(ini, **environ) as one, serving(other, **environ) as two:
        # The file is created by the first sample.
        assert list(directory.iterdir()) == []
        for server, times in ((one, 2), (two, 3)):
            server.ask(*['GET /fsp/'] * times, headers=caller())
        for server in (one, two):
            assert counted(server, 'fsp_requests_total', operation='list', status='200') == 5
            assert counted(server, 'fsp_request_seconds_count', operation='list') == 5
            assert counted(server, 'fsp_egnyte_calls_total', outcome='ok') == 2
    with serving(ini, **environ) as server:
        assert counted(server, 'fsp_requests_total', operation='list') == 5


def test_log_lines_are_json(ini: Path) -> None:
    text = (TOP / 'production.ini').read_text()
    for formatter in ('bare', 'generic'):
        assert text.count(f'formatter = {formatter}\n') == 1
        text = text.replace(f'formatter = {formatter}\n', 'formatter = json\n')
    ini.write_text(text)
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': PASSWORD,
        'FSP_EGNYTE_URL': f'sandbox:{ini.parent / "var" / "egnyte"}',
        'FSP_PUBLIC_SECRET': SECRET,
        'FSP_OPS_METRICS': 'true',
        'FSP_OPS_TOKEN': TOKEN,
    }
    proxied = caller(password=PASSWORD) | {'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1'}
    with serving(ini, **environ) as server:
        listing, _ = server.ask('GET /fsp/', 'GET /fsp/n%0Aone', headers=proxied)
        items = json.loads(listing.body)['data']['items']
        url = next(item['public-url'] for item in items if 'public-url' in item)
        path = '/fsp-public/' + url.partition('/fsp-public/')[2]
        server.ask(f'GET {path}', headers=proxied)
        refused, metrics = (
            server.ask('GET /fsp-ops/metrics', headers=proxied | {'Authorization': f'Bearer {token}'})[0]
            for token in ('wrong', TOKEN)
        )
    assert (refused.status, metrics.status) == (401, 200)
    # pserve's own output bypasses the log.
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith('{')]
    assert [line for line in server.log.splitlines() if not line.startswith(('{', 'Starting server'))] == []
    found = [(line['logger'], line['operation'], line['status']) for line in lines if 'operation' in line]
    assert found == [
        ('fsp_pyramid.audit', 'list', 200),
        ('fsp_pyramid.audit', 'metadata', 400),
        ('fsp_pyramid.access', 'fsp_public', 200),
    ]
    assert all({'time', 'level', 'logger'} <= line.keys() for line in lines)
    (refusal,) = [line for line in lines if line['logger'] == 'fsp_pyramid.protocol.error_views']
    (answered,) = [line for line in lines if line.get('status') == 400]
    assert refusal['message'].startswith(f'support id {answered["support_id"]}: GET /fsp/n')
    for secret in (PASSWORD, SECRET, TOKEN, path.split('/')[2], 'Bearer', 'Basic'):
        assert secret not in server.log
        assert secret not in metrics.body.decode()


# Proxy on the same machine

NGINX = """
daemon off;
error_log stderr;
pid {root}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root};
    proxy_temp_path {root};
    fastcgi_temp_path {root};
    uwsgi_temp_path {root};
    scgi_temp_path {root};
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            {headers}
        }}
    }}
}}
"""


@contextmanager
def proxying(root: Path, upstream: int, headers: str) -> Iterator[Server]:
    """Run nginx in front of a server."""
    program = shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin')
    if program is None:
        missing('nginx', FileNotFoundError('nginx'))
    root.mkdir()
    port = free_port()
    (root / 'nginx.conf').write_text(NGINX.format(root=root, port=port, upstream=upstream, headers=headers))
    with subprocess.Popen(
        [program, '-c', root / 'nginx.conf', '-p', root], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        server = Server(port, root / 'log')
        try:
            end = time.monotonic() + PATIENCE
            while True:
                assert process.poll() is None
                assert time.monotonic() < end
                try:
                    server.ask('GET /fsp-ops/health')
                except ConnectionRefusedError:
                    time.sleep(0.02)
                else:
                    break
            yield server
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.mark.parametrize(
    'headers',
    [
        # waitress removes this header, because development.ini configures no trusted proxy.
        'proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
        'proxy_set_header Host $host;',
    ],
)
def test_metrics_are_refused_through_local_proxy(ini: Path, tmp_path: Path, headers: str) -> None:
    with (
        serving(ini, FSP_OPS_METRICS='true') as server,
        proxying(tmp_path / 'nginx', server.port, headers) as proxy,
    ):
        names = {'Host': 'files.example'}
        ready, metrics, health = proxy.ask(
            'GET /fsp-ops/ready', 'GET /fsp-ops/metrics', 'GET /fsp-ops/health', headers=names
        )
        assert json.loads(ready.body) == {'status': 'ok'}
        assert (metrics.status, health.status) == (403, 200)
        assert server.ask('GET /fsp-ops/metrics')[0].status == 200


def test_metrics_are_refused_through_trusted_proxy(ini: Path, tmp_path: Path) -> None:
    shutil.copy(TOP / 'production.ini', ini)
    environ = {
        'FSP_USERNAME': 'beefree',
        'FSP_PASSWORD': PASSWORD,
        'FSP_EGNYTE_URL': f'sandbox:{ini.parent / "var" / "egnyte"}',
        'FSP_OPS_METRICS': 'true',
    }
    # Even without a forwarded Host header.
    headers = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'
    with (
        serving(ini, **environ) as server,
        proxying(tmp_path / 'nginx', server.port, headers) as proxy,
    ):
        for claimed in ({}, {'X-Forwarded-For': '127.0.0.1'}, {'X-Forwarded-For': '127.0.0.1, 127.0.0.1'}):
            assert proxy.ask('GET /fsp-ops/metrics', headers=claimed)[0].status == 403
        assert server.ask('GET /fsp-ops/metrics')[0].status == 200
