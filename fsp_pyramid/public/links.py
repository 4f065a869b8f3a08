"""Signed links: short, without an expiry, because e-mails are opened for years.

The payload of a token is: length of the account's key (1 byte, with the high bit set if the id of the file is a UUID),
the account's key, the id of the file (16 bytes for a UUID, else as it is). With an account called ``fsp`` the token is
50 characters.
"""

import uuid
from typing import NamedTuple

from ..signing import BadToken, Signing

_UUID = 0x80


class Link(NamedTuple):
    """What a token stands for."""

    account: str
    file_id: str


class BadLink(ValueError):
    """The token was not made by one of our keys."""


class Signer:
    """Makes and checks tokens.

    :param secrets: see Signing
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._signing = Signing(secrets)

    def sign(self, link: Link) -> str:
        """The token: letters, digits, ``-`` and ``_``. The account's key has at most 127 bytes."""
        account = link.account.encode()
        flag, file_id = _pack(link.file_id)
        return self._signing.sign(bytes((flag | len(account),)) + account + file_id)

    def verify(self, token: str) -> Link:
        """What the token stands for. Raises BadLink."""
        try:
            payload = self._signing.verify(token)
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
