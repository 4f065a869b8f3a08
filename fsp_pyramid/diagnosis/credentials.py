"""Secrets: long enough, not those of the shipped files and the documentation, and readable by their owner only."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from ..passwords import is_hash
from ..settings import CLIENT_PREFIX
from ..settings.schema import PREFIX, SECRETS
from .installation import Installation
from .model import Result, failure, ok, skipped, warning

# Passwords of development.ini, the documentation and the examples, and the first guesses.
SHIPPED = (
    *('beefree', 'secret-password', 'secret', 'password', 'partner', 'another', 'change-me', 'changeme'),
    *('a-long-one', 'a-long-one-that-you-made-up', 'another-long-one', 'a-third-one'),
)
# Keys of the documentation.
PUBLISHED = {
    '0d6a7f5b1c3e49d28b7a6c5d4e3f2a1b',
    'only-for-this-demonstration-0123456789',
    '6nxVZn2WRVAdGQbvGNx4nNVTBKeWbPZ0BQyMoRXNmEM=',
    '5b1c3e49d28b7a6c5d4e3f2a1b0d6a7f',
}
SHORTEST = 12
# Bits by the frequency of characters: 32 hex digits of random have some 110, and 32 letters "s" have none.
LEAST_BITS = 64


def check_passwords(installation: Installation) -> Iterator[Result]:
    """Check the passwords of clients. On a sandbox a bad one is a warning."""
    for client in installation.clients:
        own = client.settings
        bad = warning if own.egnyte.sandbox_directory else failure
        if _is_shipped(own.password, own.username):
            yield bad(
                'secrets.password',
                'the password is one of the shipped files or of the documentation',
                'write another one into fsp.password and into the console of Beefree',
                client.label,
            )
        elif not is_hash(own.password) and len(own.password) < SHORTEST:
            yield warning(
                'secrets.password',
                f'the password has fewer than {SHORTEST} characters',
                '"openssl rand -hex 16" makes a good one',
                client.label,
            )
        else:
            kind = 'a hash is stored' if is_hash(own.password) else 'stored as plain text'
            yield ok('secrets.password', f'not one of the shipped ones; {kind}', client.label)


def _is_shipped(password: str, username: str) -> bool:
    guesses = {*SHIPPED, username}
    if not is_hash(password):
        return password.lower() in {guess.lower() for guess in guesses}
    return any(_verifies(password, guess) for guess in guesses)


def _verifies(stored: str, guess: str) -> bool:
    try:
        return PasswordHasher().verify(stored, guess)
    except VerificationError:
        return False


def check_signing_keys(installation: Installation) -> Iterator[Result]:
    """Check the keys that sign links. Their length is validated with the settings."""
    keys = installation.settings.public.secret
    if not keys:
        yield warning(
            'secrets.links',
            'fsp.public.secret is not set: anyone can make links to this sandbox',
            'set it before others use this',
        )
    elif weak := [position for position, text in enumerate(keys, 1) if _bits(text) < LEAST_BITS]:
        yield failure(
            'secrets.links',
            f'key {" and ".join(map(str, weak))} of fsp.public.secret can be guessed',
            'add a better one in front: openssl rand -hex 32',
        )
    else:
        yield ok('secrets.links', f'{len(keys)} key{"s" * (len(keys) > 1)} for links')


def _bits(text: str) -> float:
    """Return the entropy of *text* by the frequency of its characters: an upper bound of its strength."""
    return -sum(count * math.log2(count / len(text)) for count in Counter(text).values())


def check_published(installation: Installation) -> Iterator[Result]:
    """Find keys that were copied from the documentation, which anyone can read."""
    settings = installation.settings
    keys = {
        'fsp.public.secret': settings.public.secret,
        'fsp.accounts.keys': settings.accounts.keys,
        'fsp.ops.token': (settings.ops.token,),
    }
    copied = [name for name, values in keys.items() if not PUBLISHED.isdisjoint(values)]
    for name in copied:
        yield failure('secrets.published', f'{name} is that of the documentation', 'make one of your own')
    if not copied:
        yield ok('secrets.published', 'no key is that of the documentation')


def check_reuse(installation: Installation) -> Iterator[Result]:
    """Find one secret in two places: a leak of one opens the other. Clients may share a token."""
    settings, places = installation.settings, defaultdict[str, set[str]](set)
    for client in installation.clients:
        places[client.settings.password].add(f'fsp.password of {client.label}')
        places[client.settings.egnyte.token].add('fsp.egnyte.token')
        places[client.settings.oauth.secret].add('fsp.oauth.secret')
    for secret in settings.public.secret:
        places[secret].add('fsp.public.secret')
    for key in settings.accounts.keys:
        places[key].add('fsp.accounts.keys')
    places[settings.ops.token].add('fsp.ops.token')
    shared = [sorted(names) for secret, names in places.items() if secret and len(names) > 1]
    for names in shared:
        yield warning('secrets.reuse', f'{" and ".join(names)} are the same', 'give each a secret of its own')
    if not shared:
        yield ok('secrets.reuse', 'no secret is used twice')


def check_file(installation: Installation) -> Iterator[Result]:
    """Check that an ini file with secrets is not readable for all users of the machine."""
    file = installation.file
    if file is None:
        yield skipped('secrets.file', 'the file of a running process is not known')
        return
    held = sorted(key for key, value in installation.ini.items() if _is_secret(key, str(value or '')))
    mode = file.stat().st_mode & 0o777
    text = f'all users of this machine can read {file.name} (mode {mode:04o}), which has {", ".join(held)}'
    if not held or not mode & 0o004:
        yield ok('secrets.file', f'mode {mode:04o}' if held else 'it holds no secret')
    elif installation.is_sandbox:
        yield ok('secrets.file', f'{text}; they are those of a sandbox')
    else:
        yield failure('secrets.file', text, f'chmod o= {file.name}')


def _is_secret(key: str, value: str) -> bool:
    """Return whether a key of an ini file, perhaps of one client, has a secret. URLs do if they have a password."""
    if key.startswith(CLIENT_PREFIX):
        key = PREFIX + key.removeprefix(CLIENT_PREFIX).partition('.')[2]
    return key in SECRETS and bool(value) and ('@' in value or not key.endswith('_url'))


CHECKS = (check_passwords, check_signing_keys, check_published, check_reuse, check_file)
