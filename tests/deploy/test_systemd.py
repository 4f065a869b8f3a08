"""Units of ``deploy/``: valid for systemd, and consistent with the other files."""

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
REST = 400_000_000  # bytes: of the application itself, with its caches


def units(directory: Path) -> list[Path]:
    """Return the units as installed, with two instances and an existing program."""
    text = SERVICE.read_text().replace('/opt/fsp-pyramid/.venv/bin', str(BIN))
    paths = [directory / f'fsp-pyramid@{instance}.service' for instance in ('', '6543', '6544')]
    for path in paths:
        path.write_text(text)
    return [*paths, Path(shutil.copy(DEPLOY / 'fsp-pyramid.target', directory))]


def verified(*paths: Path) -> str:
    """Return the complaints of systemd, without starting a unit."""
    if not shutil.which('systemd-analyze'):
        missing('systemd-analyze', FileNotFoundError('apt-get install systemd'))
    command = ['systemd-analyze', 'verify', '--man=no', *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr + (f'it ended with {done.returncode}' if done.returncode else '')


def test_units_pass_systemd_verification(tmp_path: Path) -> None:
    assert verified(*units(tmp_path)) == ''


def test_invalid_units_fail_systemd_verification(tmp_path: Path) -> None:
    first, *_ = units(tmp_path)
    first.write_text(first.read_text().replace('Restart=always', 'Restart=sometimes').replace('LockPer', 'LickPer'))
    complaints = verified(first)
    assert 'sometimes' in complaints
    assert 'LickPersonality' in complaints


def options(section: str) -> list[tuple[str, str]]:
    # Not configparser: a key may occur more than once.
    body = SERVICE.read_text().split(f'[{section}]\n')[1].split('\n[')[0]
    return re.findall(r'^(\w+)=(.*)$', body, re.MULTILINE)


def test_instance_ports_match_nginx_upstream() -> None:
    target = configparser.ConfigParser()
    target.read(DEPLOY / 'fsp-pyramid.target')
    ports = re.findall(r'fsp-pyramid@(\d+)\.service', target['Unit']['Wants'])
    upstream = (DEPLOY / 'nginx.conf').read_text().split('upstream fsp_pyramid {')[1].split('}')[0]
    assert ports == re.findall(r'server 127\.0\.0\.1:(\d+)', upstream)
    assert dict(options('Service'))['ExecStart'].endswith(' http_port=%i')


def test_unit_variables_override_production_paths() -> None:
    variables = dict(value.split('=', 1) for key, value in options('Service') if key == 'Environment')
    ours = {name for name in variables if name.startswith('FSP_')}
    assert ours <= {variable(key) for key in KEYS}
    # Files beside the ini file have to move to a directory that is writable for the service.
    settings = get_appsettings(str(TOP / 'production.ini'))
    assert ours - {'FSP_PUBLIC_SENDFILE'} == {
        variable(key) for key, value in settings.items() if str(TOP) in str(value) and key in KEYS
    }


def test_unit_enables_nginx_sendfile() -> None:
    variables = dict(value.split('=', 1) for key, value in options('Service') if key == 'Environment')
    assert variables['FSP_PUBLIC_SENDFILE'] == 'nginx'
    assert 'location /fsp-cache/ {' in (DEPLOY / 'nginx.conf').read_text()
    assert 'fsp.public.sendfile' not in get_appsettings(str(TOP / 'production.ini')), 'it starts without nginx, too'


def test_memory_limit_suffices_for_thumbnails() -> None:
    limit = dict(options('Service'))['MemoryMax']
    assert int(limit.removesuffix('M')) * 2**20 >= WORKERS * MEMORY + REST


def test_system_call_filter_permits_prlimit64() -> None:
    """Permit prlimit64, by which workers limit themselves, although @resources is denied."""
    if not shutil.which('systemd-analyze'):
        missing('systemd-analyze', FileNotFoundError('apt-get install systemd'))
    command = ['systemd-analyze', 'syscall-filter', '@default']
    assert 'prlimit64' in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_cache_directory_is_readable_for_nginx() -> None:
    service = dict(options('Service'))
    nginx = (DEPLOY / 'nginx.conf').read_text()
    assert re.search(r'^user \S+ (\S+);', nginx, re.MULTILINE)[1] == service['Group']
    assert f'alias /var/cache/{service["CacheDirectory"]}/;' in nginx
    assert (service['CacheDirectoryMode'], service['UMask']) == ('0750', '0027')
    assert re.search(r'^u (\S+)', (DEPLOY / 'sysusers.conf').read_text(), re.MULTILINE)[1] == service['User']
