"""Copies of contents that come in pieces, with a limit and a checksum."""

import hashlib
from collections.abc import Iterable
from typing import BinaryIO

from ..disk import writing_temporary
from ..sources import SourceTooLarge

# Bytes; a larger content goes to the disk (SpooledTemporaryFile), and is read in chunks of the second size.
IN_MEMORY, CHUNK = 1 << 20, 1 << 16


def copy_limited(chunks: Iterable[bytes], file: BinaryIO, limit: int) -> str:
    """Write *chunks* to a temporary file, and return their SHA-512 in lower-case hex.

    :param limit: in bytes

    Raises SourceTooLarge, NoRoom, and the errors of *chunks*.
    """
    digest, size = hashlib.sha512(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SourceTooLarge(limit)
        digest.update(chunk)
        with writing_temporary():
            file.write(chunk)
    return digest.hexdigest()
