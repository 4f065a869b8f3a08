"""Signed links: short, without an expiry, because e-mails are opened for years.

A token is base64url of: key id (1 byte), length of the account's key (1 byte, with the high bit set if the id of the
file is a UUID), the account's key, the id of the file (16 bytes for a UUID, else as it is), the first 16 bytes of the
HMAC-SHA-256 over all that. With an account called ``fsp`` that is 50 characters. Nothing is believed before the MAC is
verified.
"""

import base64
import binascii
import hmac
import uuid
from typing import NamedTuple

_MAC_SIZE = 16
_UUID = 0x80


class Link(NamedTuple):
    """What a token stands for."""

    account: str
    file_id: str


class BadLink(ValueError):
    """The token was not made by one of our keys."""


class Signer:
    """Makes and checks tokens.

    :param secrets: the first signs, all of them verify, so that a new one never breaks what was sent
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._keys = [secret.encode() for secret in secrets]

    def sign(self, link: Link) -> str:
        """The token: letters, digits, ``-`` and ``_``. The account's key has at most 127 bytes."""
        account, key = link.account.encode(), self._keys[0]
        flag, file_id = _pack(link.file_id)
        payload = bytes((_key_id(key), flag | len(account))) + account + file_id
        return base64.urlsafe_b64encode(payload + _mac(key, payload)).rstrip(b'=').decode()

    def verify(self, token: str) -> Link:
        """What the token stands for. Raises BadLink."""
        try:
            data = base64.b64decode(token.encode() + b'=' * (-len(token) % 4), b'-_', validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise BadLink from None
        payload, mac = data[:-_MAC_SIZE], data[-_MAC_SIZE:]
        # Padding bits that base64 ignores would give one file many URLs.
        if base64.urlsafe_b64encode(data).rstrip(b'=') != token.encode() or not payload:
            raise BadLink
        if not any(hmac.compare_digest(_mac(key, payload), mac) for key in self._keys if _key_id(key) == payload[0]):
            raise BadLink
        end = 2 + (payload[1] & ~_UUID)
        file_id = payload[end:]
        return Link(payload[2:end].decode(), str(uuid.UUID(bytes=file_id)) if payload[1] & _UUID else file_id.decode())


def _key_id(key: bytes) -> int:
    return hmac.digest(key, b'key id', 'sha256')[0]


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, 'sha256')[:_MAC_SIZE]


def _pack(file_id: str) -> tuple[int, bytes]:
    try:
        packed = uuid.UUID(file_id)
    except ValueError:
        return 0, file_id.encode()
    # Only the spelling that unpacking gives back.
    return (_UUID, packed.bytes) if str(packed) == file_id else (0, file_id.encode())
