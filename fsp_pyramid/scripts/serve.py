"""``fsp-serve [INI] [NAME=VALUE]``: ``pserve``, and a message instead of a traceback for a bad ini file.

Without a file the whole configuration comes from the environment.

PasteDeploy reads the file before it imports this package. So under ``pserve`` itself only bad settings end with a
message; a file that cannot be read ends with a traceback of configparser's, which may show a part of a secret.
"""

import argparse
from collections.abc import Sequence

import waitress
from pyramid.scripts.common import parse_vars
from pyramid.scripts.pserve import PServeCommand
from waitress.adjustments import Adjustments

from ..scaffold import ENVIRONMENT_INI
from .command import (
    Failed,
    command,
    load_ini,
    new_parser,
    server_section,
)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = new_parser('fsp-serve', 'Serve the application of an ini file, or of the environment.')
    parser.add_argument(
        'ini',
        metavar='INI',
        nargs='?',
        default=str(ENVIRONMENT_INI),
        help='the ini file of the installation; without it, all settings are environment variables',
    )
    parser.add_argument(
        'variables', metavar='NAME=VALUE', nargs='*', type=_variable, help='for the ini file: http_port=7001'
    )
    options = parser.parse_args(argv)
    variables = parse_vars(options.variables)
    load_ini(options.ini, variables)
    _check_server(options.ini, variables)
    try:
        return PServeCommand(['pserve', options.ini, *options.variables]).run() or 0
    except SystemExit as error:  # our own application, on bad settings
        raise Failed(error) from error
    except OSError as error:  # the address is in use, or not of this machine
        raise Failed(
            f'The server cannot start: {error.strerror or error}. For another port: fsp-serve {options.ini} '
            'http_port=7001, or FSP_SERVER_PORT without an ini file.'
        ) from error


def _variable(text: str) -> str:
    if not text.partition('=')[0].strip() or '=' not in text:
        raise argparse.ArgumentTypeError(f'{text!r} is no NAME=VALUE, such as http_port=7001')
    return text


def _check_server(ini: str, variables: dict[str, str]) -> None:
    """Raise Failed without a server, and for options that waitress refuses; our own server checks its options."""
    context = server_section(ini, variables)
    if context is None:
        raise Failed(f'{ini}: there is no section [server:main]; write it with "use = egg:fsp-pyramid".')
    if context.object is waitress.serve_paste:
        try:
            Adjustments(**context.local_conf)
        except ValueError as error:
            raise Failed(f'{ini}: the server cannot start with its section [server:main]: {error}') from error
