"""Signed tokens for URLs: letters, digits, ``-`` and ``_``, made and checked with a list of keys.

A token is base64url of: key id (1 byte), the payload, the first 16 bytes of the HMAC-SHA-256 over both.
"""

import base64
import binascii
import hmac

_MAC_SIZE = 16


class BadToken(ValueError):
    """The token was not made by one of our keys, or not for this purpose."""


class Signing:
    """Signs payloads and verifies tokens.

    :param secrets: the first signs, all of them verify, so that a new one never breaks what was sent
    :param purpose: a token for one purpose is none for another; '' is that of public links
    """

    def __init__(self, secrets: tuple[str, ...], purpose: str = '') -> None:
        keys = [secret.encode() for secret in secrets]
        # Public links were sent before there were purposes, and stay what they are.
        keys = [hmac.digest(key, purpose.encode(), 'sha256') for key in keys] if purpose else keys
        self._keys = [(_key_id(key), key) for key in keys]

    def sign(self, payload: bytes, beside: bytes = b'') -> str:
        """The token of *payload*, which anybody can read in it.

        :param beside: what stands elsewhere in the URL and is signed as well
        """
        key_id, key = self._keys[0]
        signed = bytes((key_id,)) + payload
        return _text(signed + _mac(key, signed + beside))

    def verify(self, token: str, beside: bytes = b'') -> bytes:
        """The payload. Nothing is believed before the MAC is verified. Raises BadToken."""
        try:
            data = base64.b64decode(token.encode() + b'=' * (-len(token) % 4), b'-_', validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise BadToken from None
        signed, mac = data[:-_MAC_SIZE], data[-_MAC_SIZE:]
        # Padding bits that base64 ignores would give one thing many URLs.
        if _text(data) != token or not signed:
            raise BadToken
        keys = (key for key_id, key in self._keys if key_id == signed[0])
        if not any(hmac.compare_digest(_mac(key, signed + beside), mac) for key in keys):
            raise BadToken
        return signed[1:]


def _key_id(key: bytes) -> int:
    return hmac.digest(key, b'key id', 'sha256')[0]


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, 'sha256')[:_MAC_SIZE]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()
