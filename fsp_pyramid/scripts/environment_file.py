"""Files of variables, as systemd, containers and shells read them: ``NAME=value`` a line."""

import os
import re
import tempfile
from pathlib import Path

from .command import Failed


def write_variable(path: Path, name: str, value: str) -> None:
    """Set a variable in the file, which gets mode 0600. Other lines stay as they are. Raises Failed."""
    path = path.resolve()  # the file behind a symbolic link
    try:
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        line, pattern = f'{name}={value}', rf'^{re.escape(name)}=.*$'
        text, found = re.subn(pattern, lambda _match: line, text, flags=re.MULTILINE)
        if not found:
            text += f'{"" if not text or text.endswith(chr(10)) else chr(10)}{line}\n'
        _replace(path, text)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'it is no UTF-8'
        raise Failed(f'{path} cannot be written: {reason}.') from error


def _replace(path: Path, text: str) -> None:
    """Replace the file at once, so that no reader finds a part of it."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}-')  # mode 0600
    try:
        with open(descriptor, 'w', encoding='utf-8') as file:
            file.write(text)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
