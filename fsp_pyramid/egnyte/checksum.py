"""Checksums of Egnyte: SHA-512, and for chunked uploads a composite one over the digests of the chunks."""

import hashlib
import re
from collections.abc import Iterable


def composite(digests: Iterable[str], chunk_size: int) -> str:
    """Return the checksum of a file by the digests of its chunks, of which all but the last have *chunk_size* bytes."""
    digests = tuple(digests)
    return f'2-{len(digests)}-{chunk_size}-{hashlib.sha512("".join(digests).encode()).hexdigest()}'


class Verifier:
    """Incremental verification of a file's bytes against *checksum*.

    A checksum of an unknown form matches all bytes.
    """

    def __init__(self, checksum: str) -> None:
        self._wanted = checksum.lower()
        match = re.fullmatch('2-[0-9]+-([1-9][0-9]*)-[0-9a-f]{128}', self._wanted)
        self._chunk_size = int(match[1]) if match else 0
        self._known = bool(match) or re.fullmatch('[0-9a-f]{128}', self._wanted) is not None
        self._digests: list[str] = []
        self._chunk, self._filled = hashlib.sha512(), 0

    def update(self, data: bytes) -> None:
        """Add the next bytes."""
        while self._chunk_size and self._filled + len(data) > self._chunk_size:
            room = self._chunk_size - self._filled
            self._chunk.update(data[:room])
            self._end_chunk()
            data = data[room:]
        self._chunk.update(data)
        self._filled += len(data)

    def _end_chunk(self) -> None:
        self._digests.append(self._chunk.hexdigest())
        self._chunk, self._filled = hashlib.sha512(), 0

    def fits(self) -> bool:
        """Return whether the bytes match. To be called once, after the last byte."""
        if not self._chunk_size:
            return not self._known or self._chunk.hexdigest() == self._wanted
        if self._filled:
            self._end_chunk()
        return composite(self._digests, self._chunk_size) == self._wanted
