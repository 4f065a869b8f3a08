"""Encryption of what users granted: readable with our keys only, and only where it was put."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_LENGTH = 44
HOW_TO_MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class VaultError(Exception):
    """What is stored cannot be opened. The message tells nothing of it."""


class TokenCipher:
    """Seals small JSON objects and opens them again.

    Fernet has no associated data, so whom a value is bound to is sealed with it and compared at opening.

    :param keys: Fernet keys, the newest first: that one seals, all of them open

    Raises ValueError without keys and for a key that is none.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError(f'accounts need at least one encryption key; make one with: {HOW_TO_MAKE_A_KEY}')
        self._fernet = MultiFernet([_fernet(key, position) for position, key in enumerate(keys, 1)])

    def seal(self, value: dict[str, Any], bound_to: tuple[str, ...]) -> str:
        """*value* as text that tells nothing but its length and when it was sealed."""
        return self._fernet.encrypt(json.dumps([bound_to, value]).encode()).decode()

    def open(self, text: str, bound_to: tuple[str, ...]) -> dict[str, Any]:
        """What was sealed. Raises VaultError: another key, changed since, or bound to somebody else."""
        try:
            owner, value = json.loads(self._fernet.decrypt(text))
        except (InvalidToken, ValueError):
            raise VaultError('none of the encryption keys opens it, or somebody changed it') from None
        if tuple(owner) != bound_to:
            raise VaultError('it was sealed for somebody else')
        return value

    def rotate(self, text: str, bound_to: tuple[str, ...]) -> str:
        """The same, sealed with the newest key. Raises what :meth:`open` does."""
        return self.seal(self.open(text, bound_to), bound_to)


def _fernet(key: str, position: int) -> Fernet:
    try:
        # Fernet passes over characters that are not base64, and would take a key with a typing error in it.
        return Fernet(key if len(key) == KEY_LENGTH else '')
    except ValueError:
        # Not "from" it: what is wrong with a secret tells of the secret.
        raise ValueError(
            f'encryption key {position} is no Fernet key ({KEY_LENGTH} characters, urlsafe base64); '
            f'make one with: {HOW_TO_MAKE_A_KEY}'
        ) from None
