"""Passwords of clients: plain or hashed, verified in constant time, with a short-lived cache of successes.

Basic sends the password with every request, and one argon2 verification costs some 20 ms of a core (OWASP's profile):
without the cache, a core could serve fifty requests a second. Each verification also takes 19 MiB, and unauthenticated
clients can cause it: a bulkhead limits the verifications of a process, and the threads that wait for one.
"""

import hmac
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from .concurrency.bulkhead import Bulkhead
from .concurrency.single_flight import SingleFlight

# OWASP's recommendation: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
REMEMBERED_FOR = 60.0
MAX_REMEMBERED = 1000
# Concurrent verifications of a process, threads that wait for one, and their seconds; a client address gets half.
CHECKS, WAITING, WAIT = 2, 6, 1.0
_limiter = Bulkhead(CHECKS, WAITING, WAIT, share=(CHECKS + WAITING) // 2)
_threads: ThreadPoolExecutor


def _renew_threads() -> None:
    """Create the pool of threads that verify; each starts when it is needed.

    glibc's allocator keeps the 19 MiB of a verification for the thread that freed them. In the server's own threads,
    wrong logins one after the other took 19 MiB for each of these.
    """
    global _threads  # noqa: PLW0603 - one for the process, with all of its applications
    _threads = ThreadPoolExecutor(CHECKS, 'fsp-passwords')


_renew_threads()
os.register_at_fork(after_in_child=_renew_threads)


def hash_password(password: str) -> str:
    """Return an argon2id hash for an ini file. Raises ValueError for an empty password."""
    if not password:
        raise ValueError('a password is not empty')
    return _HASHER.hash(password)


def is_hash(text: str) -> bool:
    """Return whether *text* is a hash with the parameters of :func:`hash_password`.

    Other parameters take another time to verify than the hash for unknown users, which would reveal users.
    """
    try:
        return not _HASHER.check_needs_rehash(text)
    except (InvalidHashError, ValueError):
        return False


class Passwords:
    """Verifier of users' passwords.

    :param stored: plain passwords or argon2 hashes, by user name
    """

    def __init__(self, stored: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        # If one password is hashed, all are, and unknown users get a hash as well: the time must not reveal users.
        self._hashed = any(map(is_hash, stored.values()))
        self._stored = {user.encode(): self._hashed_like_others(password) for user, password in stored.items()}
        self._unknown_user = self._hashed_like_others(secrets.token_hex())
        self._clock = clock
        self._key = secrets.token_bytes()
        self._lock = threading.Lock()
        self._remembered: OrderedDict[bytes, float] = OrderedDict()
        self._single_flight = SingleFlight()

    def _hashed_like_others(self, password: str) -> str:
        return hash_password(password) if self._hashed and not is_hash(password) else password

    def check(self, user: str, password: str, address: str = '') -> bool:
        """Return whether that is the user's password.

        Concurrent checks of the same pair share one verification. Raises BulkheadFull if too many other pairs are
        being verified; cached pairs are never refused.

        :param address: of the client; one address gets no more than its share of the verifications
        """
        name = user.encode()
        stored = self._stored.get(name, self._unknown_user)
        if not self._hashed:
            return hmac.compare_digest(password.encode(), stored.encode()) and name in self._stored
        pair = b'%d:%b:%b' % (len(name), name, password.encode())
        digest = hmac.digest(self._key, pair, 'sha256')

        def verify() -> bool:
            with _limiter.slot(address):
                return _threads.submit(_verifies, stored, password).result() and self._remember(digest)

        return self._is_remembered(digest) or self._single_flight.do(digest, verify)

    def _is_remembered(self, digest: bytes) -> bool:
        with self._lock:
            if self._remembered.get(digest, 0) <= self._clock():
                return False
        # Each use renews it: an active client must not queue behind others once a minute.
        return self._remember(digest)

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
