"""Signed links: short, without an expiry, because e-mails are opened for years.

The payload of a token is: length of the account's key (1 byte, with the high bit set if the id of the file is a UUID),
the account's key, the id of the file (16 bytes for a UUID, else as it is). With an account called ``fsp`` the token is
50 characters. A thumbnail's token is signed for that purpose, together with the digits of the checksum behind it: it
opens the thumbnail of that content, and not the file.
"""

import uuid
from functools import lru_cache
from typing import NamedTuple

from ..signing import BadToken, Signing

_UUID = 0x80
# Tokens, of either kind; some 10 MB.
REMEMBERED = 20_000


class Link(NamedTuple):
    """What a token stands for."""

    account: str
    file_id: str


class BadLink(ValueError):
    """The token was not made by one of our keys."""


def digits(checksum: str) -> str:
    """What tells one content from another in the URL of a thumbnail: 12 hex digits."""
    return checksum.rpartition('-')[2][:12]


class Signer:
    """Makes and checks tokens.

    :param secrets: see Signing
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._content, self._thumbnail = Signing(secrets), Signing(secrets, 'thumbnail')
        # A listing wants two tokens for each of its files, and the same ones the next time.
        self.sign = lru_cache(REMEMBERED)(self.sign)
        self.sign_thumbnail = lru_cache(REMEMBERED)(self.sign_thumbnail)

    def sign(self, link: Link) -> str:
        """The token of a file: letters, digits, ``-`` and ``_``. The account's key has at most 127 bytes."""
        return self._content.sign(_payload(link))

    def verify(self, token: str) -> Link:
        """What the token stands for. Raises BadLink."""
        return _verified(self._content, token)

    def sign_thumbnail(self, link: Link, checksum_digits: str) -> str:
        """The token of the thumbnail of the content with that checksum."""
        return self._thumbnail.sign(_payload(link), checksum_digits.encode())

    def verify_thumbnail(self, token: str, checksum_digits: str) -> Link:
        """The file that the token belongs to. Raises BadLink."""
        return _verified(self._thumbnail, token, checksum_digits.encode())


def _payload(link: Link) -> bytes:
    account = link.account.encode()
    flag, file_id = _pack(link.file_id)
    return bytes((flag | len(account),)) + account + file_id


def _verified(signing: Signing, token: str, beside: bytes = b'') -> Link:
    try:
        payload = signing.verify(token, beside)
    except BadToken:
        raise BadLink from None
    end = 1 + (payload[0] & ~_UUID)
    file_id = payload[end:]
    return Link(payload[1:end].decode(), str(uuid.UUID(bytes=file_id)) if payload[0] & _UUID else file_id.decode())


def _pack(file_id: str) -> tuple[int, bytes]:
    try:
        packed = uuid.UUID(file_id)
    except ValueError:
        return 0, file_id.encode()
    # Only the spelling that unpacking gives back.
    return (_UUID, packed.bytes) if str(packed) == file_id else (0, file_id.encode())
