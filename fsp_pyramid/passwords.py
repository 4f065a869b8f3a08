"""Passwords of clients: plain or hashed, checked in a time that tells nothing, and remembered for a moment.

Basic sends the password with every request, and one argon2 check costs some 20 ms of a core (OWASP's profile): without
memory a second of one core would do for fifty requests.
"""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

# OWASP's recommendation: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
REMEMBERED_FOR = 60.0
MAX_REMEMBERED = 1000


def hash_password(password: str) -> str:
    """An argon2id hash, for an ini file. Raises ValueError for an empty password."""
    if not password:
        raise ValueError('a password is not empty')
    return _HASHER.hash(password)


def is_hash(text: str) -> bool:
    """Whether *text* is a hash as :func:`hash_password` makes them.

    Others cost another time to check than what an unknown user is checked against, which would tell them apart.
    """
    try:
        return not _HASHER.check_needs_rehash(text)
    except (InvalidHashError, ValueError):
        return False


class Passwords:
    """The passwords of some users.

    :param stored: plain passwords or argon2 hashes, by user name
    """

    def __init__(self, stored: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        # One hash makes hashes of all, and an unknown user has one as well: the time must not tell who is who.
        self._hashed = any(map(is_hash, stored.values()))
        self._stored = {user.encode(): self._kept(password) for user, password in stored.items()}
        self._nobody = self._kept(secrets.token_hex())
        self._clock = clock
        self._key = secrets.token_bytes()
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, float] = OrderedDict()

    def _kept(self, password: str) -> str:
        return hash_password(password) if self._hashed and not is_hash(password) else password

    def check(self, user: str, password: str) -> bool:
        """Whether that is the user's password."""
        name = user.encode()
        stored = self._stored.get(name, self._nobody)
        if not self._hashed:
            return hmac.compare_digest(password.encode(), stored.encode()) and name in self._stored
        pair = b'%d:%b:%b' % (len(name), name, password.encode())
        digest = hmac.digest(self._key, pair, 'sha256')
        return self._is_remembered(digest) or (_verifies(stored, password) and self._remember(digest))

    def _is_remembered(self, digest: bytes) -> bool:
        with self._lock:
            return self._remembered.get(digest, 0) > self._clock()

    def _remember(self, digest: bytes) -> bool:
        with self._lock:
            self._remembered[digest] = self._clock() + REMEMBERED_FOR
            self._remembered.move_to_end(digest)
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return True


def _verifies(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except VerificationError:
        return False
