"""Disk errors (full, over quota, read-only, broken, gone): plain messages instead of tracebacks."""

import errno
import logging
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import NoRoom

log = logging.getLogger(__name__)

DISK_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EFBIG,
    errno.ENOTDIR,
    errno.EACCES,
    errno.ESTALE,
}
# https://sqlite.org/rescode.html
SQLITE_DISK_ERRORS = ('SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_READONLY')


def is_disk_error(error: BaseException) -> bool:
    """Return whether a disk caused *error*, rather than our code."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, 'sqlite_errorname', '').startswith(SQLITE_DISK_ERRORS)
    return isinstance(error, OSError) and error.errno in DISK_ERRORS


def temporary_directory() -> str:
    """Return the directory of temporary files, or the name of its variable if there is none."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return 'TMPDIR'


@contextmanager
def disk_errors_of(path: Path) -> Iterator[None]:
    """Translate disk errors of SQLite, and those without a file name, to OSErrors that name *path*."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not is_disk_error(error) or getattr(error, 'filename', None) is not None:
            raise
        number = getattr(error, 'errno', None) or errno.EIO
        raise OSError(number, getattr(error, 'strerror', None) or str(error), str(path)) from error


@contextmanager
def writing_temporary() -> Iterator[None]:
    """Guard writes to a temporary file. Raises NoRoom for any OSError, and logs the directory."""
    try:
        yield
    except OSError as error:
        log_temporary(error)
        raise NoRoom from error


def log_temporary(error: OSError) -> None:
    """Log that a temporary file could not be written, and where."""
    log.error(  # a traceback adds nothing
        'the directory of temporary files, %s, cannot be written to (%s): free space there, or set TMPDIR',
        temporary_directory(),
        error.strerror or type(error).__name__,
    )
