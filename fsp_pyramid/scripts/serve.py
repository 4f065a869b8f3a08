"""``fsp-serve [INI] [NAME=VALUE]``: ``pserve``, and a message instead of a traceback for a bad ini file.

Without a file the whole configuration comes from the environment.

PasteDeploy reads the file before it imports this package. So under ``pserve`` itself only bad settings end with a
message; a file that cannot be read ends with a traceback of configparser's, which may show a part of a secret.
"""

from collections.abc import Sequence

from pyramid.scripts.common import parse_vars
from pyramid.scripts.pserve import PServeCommand

from ..scaffold import ENVIRONMENT_INI
from .command import (
    Failed,
    check_ini,
    command,
    new_parser,
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
    parser.add_argument('variables', metavar='NAME=VALUE', nargs='*', help='for the ini file: http_port=7001')
    options = parser.parse_args(argv)
    check_ini(options.ini, parse_vars(options.variables))
    try:
        return PServeCommand(['pserve', options.ini, *options.variables]).run() or 0
    except SystemExit as error:  # our own application, on bad settings
        raise Failed(error) from error
    except OSError as error:  # the address is in use, or not of this machine
        raise Failed(
            f'The server cannot start: {error.strerror or error}. For another port: fsp-serve {options.ini} '
            'http_port=7001, or FSP_SERVER_PORT without an ini file.'
        ) from error
