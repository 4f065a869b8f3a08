"""Signed tokens for URLs, of letters, digits, ``-`` and ``_``, with a list of keys for rotation.

A token is base64url of: key id (1 byte), the payload, the first 16 bytes of the HMAC-SHA-256 over both.
"""

import base64
import binascii
import hmac

_MAC_SIZE = 16


class BadToken(ValueError):
    """The token was signed with another key, or for another purpose."""


class Signing:
    """Signer of payloads and verifier of tokens.

    :param secrets: the first one signs, all of them verify, so that a new one keeps old tokens valid
    :param purpose: a token is valid for one purpose only; '' is that of public links
    """

    def __init__(self, secrets: tuple[str, ...], purpose: str = '') -> None:
        keys = [secret.encode() for secret in secrets]
        # Public links are older than purposes, and stay valid.
        keys = [hmac.digest(key, purpose.encode(), 'sha256') for key in keys] if purpose else keys
        self._keys = [(_key_id(key), key) for key in keys]

    def sign(self, payload: bytes, beside: bytes = b'') -> str:
        """Return the token of *payload*, which is readable in it.

        :param beside: other part of the URL that is signed as well
        """
        key_id, key = self._keys[0]
        signed = bytes((key_id,)) + payload
        return _text(signed + _mac(key, signed + beside))

    def verify(self, token: str, beside: bytes = b'') -> bytes:
        """Return the payload, after the MAC is verified. Raises BadToken."""
        try:
            data = base64.b64decode(token.encode() + b'=' * (-len(token) % 4), b'-_', validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise BadToken from None
        signed, mac = data[:-_MAC_SIZE], data[-_MAC_SIZE:]
        # Padding bits that base64 ignores would make several URLs of one token.
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
