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

TROUBLES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
# https://sqlite.org/rescode.html
SQLITE_TROUBLES = ('SQLITE_FULL', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_READONLY')


def is_trouble(error: BaseException) -> bool:
    """Return whether *error* says that a disk, rather than our code, is at fault."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, 'sqlite_errorname', '').startswith(SQLITE_TROUBLES)
    return isinstance(error, OSError) and error.errno in TROUBLES


def temporary_directory() -> str:
    """Return the directory of temporary files; where there is none, the variable that names it."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return 'TMPDIR'


@contextmanager
def located(directory: Path) -> Iterator[None]:
    """Let disk errors of SQLite, and those that name no file, be OSErrors that name *directory*."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if not is_trouble(error) or getattr(error, 'filename', None) is not None:
            raise
        number = getattr(error, 'errno', None) or errno.EIO
        raise OSError(number, getattr(error, 'strerror', None) or str(error), str(directory)) from error


@contextmanager
def writing_temporary() -> Iterator[None]:
    """Write to a temporary file. Raises NoRoom for any OSError, and logs which directory is meant."""
    try:
        yield
    except OSError as error:
        log.error(  # noqa: TRY400 - a traceback tells no more
            'the directory of temporary files, %s, cannot be written to (%s): free space there, or set TMPDIR',
            temporary_directory(),
            error.strerror or type(error).__name__,
        )
        raise NoRoom from error
