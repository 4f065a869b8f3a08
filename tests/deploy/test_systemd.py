"""The units of ``deploy/``: systemd finds nothing wrong with them, and they say the same as the other files."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

from pyramid.paster import get_appsettings

from fsp_pyramid.imaging.worker import MEMORY
from fsp_pyramid.imaging.worker_pool import WORKERS
from fsp_pyramid.settings import KEYS, variable

from ..functional.processes import BIN
from ..services import missing
from ..timing import PATIENCE

TOP = Path(__file__).parents[2]
DEPLOY = TOP / 'deploy'
SERVICE = DEPLOY / 'fsp-pyramid@.service'
REST = 400_000_000  # bytes: of the bridge itself, with its caches


def units(directory: Path) -> list[Path]:
    """Return the units as they are installed, with a program that is there; two instances."""
    text = SERVICE.read_text().replace('/opt/fsp-pyramid/.venv/bin', str(BIN))
    paths = [directory / f'fsp-pyramid@{instance}.service' for instance in ('', '6543', '6544')]
    for path in paths:
        path.write_text(text)
    return [*paths, Path(shutil.copy(DEPLOY / 'fsp-pyramid.target', directory))]


def verified(*paths: Path) -> str:
    """Return the complaints of systemd. No unit is started."""
    if not shutil.which('systemd-analyze'):
        missing('systemd-analyze', FileNotFoundError('apt-get install systemd'))
    command = ['systemd-analyze', 'verify', '--man=no', *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr + (f'it ended with {done.returncode}' if done.returncode else '')


def test_systemd_has_nothing_to_complain_of(tmp_path: Path) -> None:
    assert verified(*units(tmp_path)) == ''


def test_systemd_would_complain(tmp_path: Path) -> None:
    first, *_ = units(tmp_path)
    first.write_text(first.read_text().replace('Restart=always', 'Restart=sometimes').replace('LockPer', 'LickPer'))
    complaints = verified(first)
    assert 'sometimes' in complaints
    assert 'LickPersonality' in complaints


def options(section: str) -> list[tuple[str, str]]:
    # Not configparser: a key may come more than once.
    body = SERVICE.read_text().split(f'[{section}]\n')[1].split('\n[')[0]
    return re.findall(r'^(\w+)=(.*)$', body, re.MULTILINE)


def test_each_instance_listens_where_nginx_looks() -> None:
    target = configparser.ConfigParser()
    target.read(DEPLOY / 'fsp-pyramid.target')
    ports = re.findall(r'fsp-pyramid@(\d+)\.service', target['Unit']['Wants'])
    upstream = (DEPLOY / 'nginx.conf').read_text().split('upstream fsp_pyramid {')[1].split('}')[0]
    assert ports == re.findall(r'server 127\.0\.0\.1:(\d+)', upstream)
    assert dict(options('Service'))['ExecStart'].endswith(' http_port=%i')


def test_its_variables_are_settings_and_replace_those_of_production() -> None:
    variables = dict(value.split('=', 1) for key, value in options('Service') if key == 'Environment')
    ours = {name for name in variables if name.startswith('FSP_')}
    assert ours <= {variable(key) for key in KEYS}
    # What the ini file keeps beside itself has to be where the service may write.
    settings = get_appsettings(str(TOP / 'production.ini'))
    assert ours - {'FSP_PUBLIC_SENDFILE'} == {
        variable(key) for key, value in settings.items() if str(TOP) in str(value) and key in KEYS
    }


def test_nginx_sends_the_files() -> None:
    variables = dict(value.split('=', 1) for key, value in options('Service') if key == 'Environment')
    assert variables['FSP_PUBLIC_SENDFILE'] == 'nginx'
    assert 'location /fsp-cache/ {' in (DEPLOY / 'nginx.conf').read_text()
    assert 'fsp.public.sendfile' not in get_appsettings(str(TOP / 'production.ini')), 'it starts without nginx, too'


def test_there_is_memory_for_pictures() -> None:
    limit = dict(options('Service'))['MemoryMax']
    assert int(limit.removesuffix('M')) * 2**20 >= WORKERS * MEMORY + REST


def test_workers_may_be_limited() -> None:
    """They limit themselves by prlimit64, which is permitted although @resources is not."""
    if not shutil.which('systemd-analyze'):
        missing('systemd-analyze', FileNotFoundError('apt-get install systemd'))
    command = ['systemd-analyze', 'syscall-filter', '@default']
    assert 'prlimit64' in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_nginx_may_read_the_cache() -> None:
    service = dict(options('Service'))
    nginx = (DEPLOY / 'nginx.conf').read_text()
    assert re.search(r'^user \S+ (\S+);', nginx, re.MULTILINE)[1] == service['Group']
    assert f'alias /var/cache/{service["CacheDirectory"]}/;' in nginx
    assert (service['CacheDirectoryMode'], service['UMask']) == ('0750', '0027')
    assert re.search(r'^u (\S+)', (DEPLOY / 'sysusers.conf').read_text(), re.MULTILINE)[1] == service['User']
