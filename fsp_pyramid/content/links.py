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
# Tokens that are remembered, of each kind and of those that were checked; about 5 MB together, as measured.
REMEMBERED = 4_000


class Link(NamedTuple):
    """A file as an account sees it: what a token names."""

    account: str
    file_id: str


class BadLink(ValueError):
    """The token was not made by one of our keys."""


def checksum_digits(checksum: str) -> str:
    """Return the 12 hex digits that stand for a content in the URL of its thumbnail."""
    return checksum.rpartition('-')[2][:12]


class Signer:
    """Make and check tokens.

    :param secrets: see Signing
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._content, self._thumbnail = Signing(secrets), Signing(secrets, 'thumbnail')
        # A listing needs two tokens for each of its files, and the same ones the next time.
        self._signed = lru_cache(REMEMBERED)(_sign)
        self._signed_thumbnail = lru_cache(REMEMBERED)(_sign)
        # Readers of one mailing come with the same tokens. BadLink is not remembered.
        self._verified = lru_cache(REMEMBERED)(_verify)

    def sign(self, link: Link) -> str:
        """Return the token of a file: letters, digits, ``-`` and ``_``. The account's key has at most 127 bytes."""
        return self._signed(self._content, link)

    def verify(self, token: str) -> Link:
        """Return the link that the token was made for. Raises BadLink."""
        return self._verified(self._content, token)

    def sign_thumbnail(self, link: Link, digits: str) -> str:
        """Return the token of the thumbnail of the content with those digits of its checksum."""
        return self._signed_thumbnail(self._thumbnail, link, digits)

    def verify_thumbnail(self, token: str, digits: str) -> Link:
        """Return the link of the file that the thumbnail belongs to. Raises BadLink."""
        return self._verified(self._thumbnail, token, digits)


def _sign(signing: Signing, link: Link, digits: str = '') -> str:
    account = link.account.encode()
    flag, file_id = _pack(link.file_id)
    return signing.sign(bytes((flag | len(account),)) + account + file_id, digits.encode())


def _verify(signing: Signing, token: str, digits: str = '') -> Link:
    try:
        payload = signing.verify(token, digits.encode())
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
