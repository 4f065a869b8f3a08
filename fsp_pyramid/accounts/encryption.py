"""Encryption of users' tokens with our keys, bound to the row that holds them."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_LENGTH = 44
HOW_TO_MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class DecryptionError(Exception):
    """A stored value cannot be decrypted. The message holds nothing of it."""


class TokenCipher:
    """Encrypts and decrypts small JSON objects with Fernet.

    Fernet has no associated data, so the owner of a value is encrypted with it and compared at decryption.

    :param keys: Fernet keys, the newest first: the first one encrypts, all of them decrypt

    Raises ValueError without keys and for an invalid key.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError(f'accounts need at least one encryption key; make one with: {HOW_TO_MAKE_A_KEY}')
        self._fernet = MultiFernet([_fernet(key, position) for position, key in enumerate(keys, 1)])

    def encrypt(self, value: dict[str, Any], owner: tuple[str, ...]) -> str:
        """Return *value* as text that reveals only its length and the time of encryption."""
        return self._fernet.encrypt(json.dumps([owner, value]).encode()).decode()

    def decrypt(self, text: str, owner: tuple[str, ...]) -> dict[str, Any]:
        """Return the value in *text*. Raises DecryptionError for an unknown key, a changed text or another owner."""
        try:
            encrypted_for, value = json.loads(self._fernet.decrypt(text))
        except (InvalidToken, ValueError):
            raise DecryptionError('none of the encryption keys decrypts it, or it was changed') from None
        if tuple(encrypted_for) != owner:
            raise DecryptionError('it was encrypted for another owner')
        return value

    def rotate(self, text: str, owner: tuple[str, ...]) -> str:
        """Return the value in *text* encrypted with the newest key. Raises as :meth:`decrypt` does."""
        return self.encrypt(self.decrypt(text, owner), owner)


def _fernet(key: str, position: int) -> Fernet:
    try:
        # Fernet ignores characters that are not base64, and would accept a key with a typing error.
        return Fernet(key if len(key) == KEY_LENGTH else '')
    except ValueError:
        # Without a cause: the error of a secret reveals a part of it.
        raise ValueError(
            f'encryption key {position} is no Fernet key ({KEY_LENGTH} characters, urlsafe base64); '
            f'make one with: {HOW_TO_MAKE_A_KEY}'
        ) from None
