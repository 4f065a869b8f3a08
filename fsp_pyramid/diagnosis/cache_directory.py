"""Directories: the cache of public files, nginx' access to it, and temporary files."""

import grp
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ..content.directory import COPIES, PARTS, THUMBNAILS
from . import probes
from .installation import Installation
from .model import Result, failure, ok, skipped, warning

# Users of nginx' workers in the usual distributions.
NGINX_USERS = ('www-data', 'nginx', 'http')


def check_temporary(_installation: Installation) -> Iterator[Result]:
    """Check that uploads can be stored while they are on their way."""
    try:
        yield ok('directories.temporary', probes.temporary())
    except probes.ProbeFailed as error:
        yield failure('directories.temporary', str(error), 'free space there, or set TMPDIR')


def check_cache(installation: Installation) -> Iterator[Result]:
    """Check the directory of ``fsp.public.cache_dir``."""
    settings = installation.settings.public
    if not settings.cache_dir:
        yield warning(
            'directories.cache',
            'fsp.public.cache_dir is not set: a restart discards all stored files',
            'set it to a directory on a disk',
        )
        return
    path = Path(settings.cache_dir)
    try:
        probes.directory(settings.cache_dir)
    except probes.ProbeFailed as error:
        yield failure('directories.cache', str(error), 'correct owner, mode or size, or choose another directory')
        return
    if not path.exists():
        yield ok('directories.cache', f'{path} is created by the first request')
        return
    status = path.stat()
    yield _owner(path, status)
    yield _mode(path, status, settings.sendfile)
    yield _space(path, settings.cache_size)
    yield _file_system(path, status)
    if settings.sendfile == 'nginx':
        yield from _sendfile(installation, path)


def _owner(path: Path, status: os.stat_result) -> Result:
    owner, user = _name_of(status.st_uid), os.geteuid()
    # Root, who runs commands, may look after the directory of the service's user.
    if user not in (0, status.st_uid):
        return warning(
            'directories.owner',
            f'{path} belongs to {owner}, not to {_name_of(user)}',
            'run this as the user of the service, or change the owner',
        )
    return ok('directories.owner', f'{path} belongs to {owner}')


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f'user {uid}'


def _mode(path: Path, status: os.stat_result, sendfile: str) -> Result:
    mode = stat.S_IMODE(status.st_mode)
    wanted = '0750' if sendfile == 'nginx' else '0700'
    if mode & 0o022:
        return failure(
            'directories.mode',
            f'mode {mode:04o}: others can replace the files that recipients see',
            f'chmod {wanted} {path}',
        )
    if mode & 0o005:
        return warning(
            'directories.mode',
            f'mode {mode:04o}: all users of this machine can read the files',
            f'chmod {wanted} {path}',
        )
    return ok('directories.mode', f'mode {mode:04o}')


def _space(path: Path, size: int) -> Result:
    """Compare the free space with what the cache may still grow by; the index does not tell, so it is an estimate."""
    usage = shutil.disk_usage(path)
    if usage.total < size:
        found = f'fsp.public.cache_size is {size >> 20} MB, and the disk has {usage.total >> 20} MB'
        return warning('directories.space', found, 'lower fsp.public.cache_size')
    if usage.free < size:
        return warning(
            'directories.space',
            f'{usage.free >> 20} MB are left, fsp.public.cache_size is {size >> 20} MB',
            'free space, unless the cache is full already, or lower fsp.public.cache_size',
        )
    return ok('directories.space', f'{usage.free >> 20} MB left, {size >> 20} MB at most are used')


def _file_system(path: Path, status: os.stat_result) -> Result:
    """Check that files can be published by renaming them from ``parts``."""
    parts = [path / name for name in (PARTS, COPIES, THUMBNAILS)]
    if elsewhere := [part.name for part in parts if part.exists() and part.stat().st_dev != status.st_dev]:
        return failure(
            'directories.file-system',
            f'{", ".join(elsewhere)} below {path} is another file system: files cannot be moved there in one step',
            'mount the whole directory, not a part of it',
        )
    return ok('directories.file-system', 'one file system')


def _sendfile(installation: Installation, path: Path) -> Iterator[Result]:
    proxy = installation.proxy
    if proxy.alias and os.path.normpath(proxy.alias) != os.path.normpath(path):
        yield failure(
            'directories.sendfile',
            f'nginx sends files of {proxy.alias}, fsp.public.cache_dir is {path}',
            'write the same directory in both places',
        )
        return
    user = proxy.user or next((name for name in NGINX_USERS if _exists(name)), '')
    if not _exists(user):
        yield skipped('directories.sendfile', f'there is no user {user or "of nginx"} on this machine')
        return
    groups = _groups(user, proxy.group)
    if closed := _closed(path, pwd.getpwnam(user).pw_uid, groups):
        yield failure(
            'directories.sendfile',
            f'{user}, the user of nginx, may not enter {closed}: every stored file is an error 403',
            f'chmod g+rx {closed}, and put {user} into its group',
        )
    else:
        yield ok('directories.sendfile', f'{user}, the user of nginx, may read it')


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _groups(user: str, group: str) -> set[int]:
    """Return the groups of nginx' workers: those of the user, and the one in the configuration in place of its own."""
    groups = set(os.getgrouplist(user, pwd.getpwnam(user).pw_gid))
    try:
        return groups | ({grp.getgrnam(group).gr_gid} if group else set())
    except KeyError:
        return groups


def _closed(path: Path, uid: int, groups: set[int]) -> Path | None:
    """Return the first directory on the way that the user may not enter; None if there is none."""
    for part in (*reversed(path.parents), path):
        status = part.stat()
        shift = 6 if status.st_uid == uid else 3 if status.st_gid in groups else 0
        if uid != 0 and not status.st_mode >> shift & 1:
            return part
    return None


CHECKS = (check_temporary, check_cache)
