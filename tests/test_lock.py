"""``requirements.lock``: the packages of deployments with hashes, and nothing of the machine that made it."""

import re
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / 'requirements.lock').read_text()
EXTRAS = ('accounts', 'heic', 'metrics', 'postgresql', 'redis')


def normalized(name: str) -> str:
    return re.sub('[-_.]+', '-', name).lower()


def required() -> dict[str, tuple[int, ...]]:
    """Return the lower bound of each dependency, by name."""
    config = ConfigParser()
    config.read(ROOT / 'setup.cfg')
    lines = [config['options']['install_requires'], *(config['options.extras_require'][extra] for extra in EXTRAS)]
    found = re.findall(r'^([\w.-]+)(?:\[\w+\])?>=([\d.]+)$', '\n'.join(lines), re.MULTILINE)
    return {normalized(name): tuple(map(int, version.split('.'))) for name, version in found}


def test_every_dependency_is_locked_within_its_bounds() -> None:
    locked = dict(re.findall(r'^([a-z0-9-]+)(?:\[\w+\])?==([\w.]+)', LOCK, re.MULTILINE))
    for name, lowest in required().items():
        assert tuple(map(int, re.findall(r'\d+', locked[name]))) >= lowest, name


def test_every_package_has_hashes() -> None:
    packages = re.split(r'^(?=[a-z0-9])', LOCK, flags=re.MULTILINE)[1:]
    assert len(packages) > 20
    assert [package for package in packages if '--hash=sha256:' not in package] == []


def test_lock_names_no_host_and_no_directory() -> None:
    assert not re.search(r'https?:|--(extra-)?index-url|--find-links|--trusted-host|(^|\s)/\w', LOCK)


def test_lock_and_audit_commands_are_documented() -> None:
    makefile, page = (ROOT / 'Makefile').read_text(), (ROOT / 'docs' / 'deployment.rst').read_text()
    assert '#    make lock\n' in LOCK
    for target in ('lock', 'audit'):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE)
        assert f'make {target}' in page
    assert all(f'--extra {extra}' in makefile for extra in EXTRAS)
    assert '--require-hashes -r requirements.lock' in page
