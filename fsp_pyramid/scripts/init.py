"""``fsp-init DIR``: write the files of a new installation."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import colander

from ..scaffold import (
    DEPLOYMENTS,
    ENVIRONMENT,
    EXAMPLE_NAME,
    INI_FILES,
    Installation,
    render,
)
from ..settings import SCHEMA
from .command import Failed, command, new_parser
from .next_steps import next_steps

MODES = ('token', 'oauth')
# Options, and the variables of the file "environment" that they decide.
DECISIONS = {'domain': 'FSP_EGNYTE_URL', 'mode': 'FSP_ACCOUNTS_MODE', 'public_name': 'FSP_PUBLIC_BASE_URL'}
# Files with secrets, which only their owner may read.
SECRET_FILES = {'development.ini', ENVIRONMENT}


@command
def main(argv: Sequence[str] | None = None) -> None:
    """Write the files that are missing, and print what to do next."""
    arguments = _parser().parse_args(argv)
    try:
        installation = _installation(arguments, decided := _decided(arguments.directory))
    except (EOFError, KeyboardInterrupt):
        raise Failed('\nNothing was written.') from None
    names = [*INI_FILES, ENVIRONMENT, *(name for kind in arguments.deploy for name in DEPLOYMENTS[kind])]
    values = installation.values()
    kept = False
    for name in dict.fromkeys(names):
        path = arguments.directory / name
        mode = 0o600 if name in SECRET_FILES else 0o644
        written = write_new(path, render(name, values), mode)
        kept |= not written
        print(f'{"wrote" if written else "kept "} {path}{" (mode 0600)" if written and mode == 0o600 else ""}')
    if kept:
        print('Kept files are as they were: the options of this call have no effect on them.')
    lacks_base_url = not (decided['public_base_url'] if decided else installation.public_base_url)
    print(next_steps(arguments.directory, installation, arguments.deploy, lacks_base_url=lacks_base_url))


def write_new(path: Path, text: str, mode: int) -> bool:
    """Write a file that does not exist yet, and return whether this was so. Raises Failed if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        if not path.is_file():
            raise Failed(f'{path} cannot be written: there is something else of that name.') from None
        return False
    except OSError as error:
        raise Failed(f'{path} cannot be written: {error.strerror}.') from None
    with open(descriptor, 'w', encoding='utf-8') as file:
        file.write(text)
    return True


def _decided(directory: Path) -> dict[str, str]:
    """Return the decisions in a file ``environment`` that exists, and is kept; {} without one. Raises Failed."""
    path = directory / ENVIRONMENT
    try:
        lines = path.read_text(encoding='utf-8').splitlines() if path.is_file() else None
    except (OSError, UnicodeError):
        raise Failed(f'{path} exists, and cannot be read.') from None
    if lines is None:
        return {}
    variables = {name.strip(): value.strip() for name, _, value in (line.partition('=') for line in lines)}
    return {
        'domain': variables.get('FSP_EGNYTE_URL', ''),
        'mode': variables.get('FSP_ACCOUNTS_MODE') or MODES[0],
        'public_name': urlsplit(variables.get('FSP_PUBLIC_BASE_URL', '')).hostname or '',
        'public_base_url': variables.get('FSP_PUBLIC_BASE_URL', ''),
    }


def _refuse_ineffective(arguments: argparse.Namespace, decided: Mapping[str, str]) -> None:
    """Raise Failed for an option that contradicts the file that is kept."""
    for option, variable in DECISIONS.items():
        given, found = getattr(arguments, option), decided[option]
        if given not in {None, found} and (found or option == 'domain'):
            name = option.replace('_', '-')
            raise Failed(
                f'{arguments.directory / ENVIRONMENT} exists with {variable}={found}, and files that exist are kept: '
                f'--{name} {given} would have no effect. Nothing was written. Write {variable} into that file, remove '
                'the files that are to be written anew, or choose another directory.'
            )


def _installation(arguments: argparse.Namespace, decided: Mapping[str, str]) -> Installation:
    """Return the decisions of the kept files, of the command line, and of the terminal for those that are missing."""
    url, mode, name = arguments.domain, arguments.mode, arguments.public_name
    if decided:
        _refuse_ineffective(arguments, decided)
        url, mode, name = decided['domain'], decided['mode'], name or decided['public_name'] or None
    if sys.stdin.isatty():
        if url is None:
            url = _ask('Egnyte domain, such as acme.egnyte.com; empty: decide later', '', _egnyte_url)
        if mode is None:
            mode = _ask('One Egnyte account for all users (token), or one for each (oauth)', MODES[0], _mode)
        if name is None:
            name = _ask('Host name of this service, as Beefree reaches it', EXAMPLE_NAME, _host)
    return Installation(egnyte_url=url or '', mode=mode or MODES[0], public_name=name or EXAMPLE_NAME)


def _ask(question: str, default: str, parse: Callable[[str], str]) -> str:
    while True:
        answer = input(f'{question}{f" [{default}]" if default else ""}: ').strip()
        try:
            return parse(answer) if answer else default
        except argparse.ArgumentTypeError as error:
            print(f'  {error}')


def _egnyte_url(text: str) -> str:
    host = text.removeprefix('https://').rstrip('/')
    url = f'https://{host if "." in host else f"{host}.egnyte.com"}'
    try:
        return SCHEMA['fsp.egnyte.url'].deserialize(url)
    except colander.Invalid:
        raise argparse.ArgumentTypeError('write the name of a domain: acme, or acme.egnyte.com') from None


def _mode(text: str) -> str:
    if text not in MODES:
        raise argparse.ArgumentTypeError(f'write {" or ".join(MODES)}')
    return text


def _host(text: str) -> str:
    host = text.removeprefix('https://').rstrip('/').lower()
    if not re.fullmatch(r'([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]+', host):
        raise argparse.ArgumentTypeError('write the name of a host: files.acme.com')
    return host


def _directory(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError('write the name of a directory, or . for this one')
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(
        'fsp-init',
        'Write the files of a new installation: ini files for development, with a local Egnyte, and for production, '
        'secrets, and on demand those of a deployment. Existing files are kept, and options that contradict them are '
        'refused. Without a terminal nothing is asked.',
    )
    parser.add_argument(
        'directory', metavar='DIR', type=_directory, help='the directory; it is created if it is missing'
    )
    parser.add_argument('--domain', metavar='NAME', type=_egnyte_url, help='Egnyte domain: acme, or acme.egnyte.com')
    parser.add_argument(
        '--mode', choices=MODES, help='one Egnyte account for all users (token, the default), or one for each (oauth)'
    )
    parser.add_argument('--public-name', metavar='HOST', type=_host, help=f'host name (default: {EXAMPLE_NAME})')
    parser.add_argument(
        '--deploy', choices=list(DEPLOYMENTS), action='append', default=[], help='write its files, too; may be repeated'
    )
    return parser
