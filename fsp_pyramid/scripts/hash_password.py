"""``fsp-hash-password``: a password for an ini file, hashed. It is asked for and never shown; or read from a pipe."""

import getpass
import sys

from ..passwords import hash_password


def main() -> int:
    """Ask twice, print the hash. An ini file needs no doubling of its characters: it holds no percent sign."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip('\n')
    else:
        password = getpass.getpass('Password: ')
        if password != getpass.getpass('Once more: '):
            print('These were two passwords.', file=sys.stderr)
            return 1
    try:
        print(hash_password(password))
    except ValueError as error:
        print(f'Not this one: {error}.', file=sys.stderr)
        return 1
    return 0
