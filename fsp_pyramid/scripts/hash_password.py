"""``fsp-hash-password``: hash a password for an ini file. It is prompted for without echo, or read from a pipe."""

import getpass
import sys
from collections.abc import Sequence

from ..passwords import hash_password
from .command import Failed, command, new_parser


@command
def main(argv: Sequence[str] | None) -> None:
    """Prompt twice, print the hash. It holds no percent sign, so it needs no escaping in an ini file."""
    new_parser(
        'fsp-hash-password',
        'Print the hash of a password, for fsp.password. The password is asked for, or read from a pipe.',
    ).parse_args(argv or [])
    try:
        print(hash_password(_read()))
    except ValueError as error:
        raise Failed(f'Not this one: {error}.') from error


def _read() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip('\n')
    password = getpass.getpass('Password: ')
    if password != getpass.getpass('Once more: '):
        raise Failed('These were two passwords.')
    return password


def run() -> int:
    """Run the console script."""
    return main(sys.argv[1:])
