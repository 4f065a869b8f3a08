"""``fsp-sandbox``: a local Egnyte on a port of its own."""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waitress.server import create_server

from ..sandbox import make_app
from ..sandbox.provision import USERS, token_of
from ..sandbox.users import API_KEY, API_SECRET
from .command import Failed, command, new_parser

THREADS = 16
# waitress refuses more than 1 GiB unless told otherwise; Egnyte takes chunks of up to 1 GB.
MAX_BODY = 16 * 1024**3
MAX_LATENCY = 3600  # seconds


@command
def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(argv)
    application = make_app(
        options.root,
        seed=options.seed,
        qps=options.qps,
        daily=options.daily,
        latency=options.latency,
        throttle=options.throttle,
    )
    server = _make_server(application, options.host, options.port)
    print(f'Egnyte sandbox in {options.root}: http://{options.host}:{server.effective_port}')
    for username, *_ in USERS:
        print(f'  user {username}, password {username}, token {token_of(username)}')
    print(f'  API key {API_KEY}, secret {API_SECRET}', flush=True)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def _make_server(application: Any, host: str, port: int) -> Any:
    """Return a server that listens. Raises Failed if it cannot."""
    address = f'[{host}]' if ':' in host and not host.startswith('[') else host
    try:
        return create_server(application, host=address, port=port, threads=THREADS, max_request_body_size=MAX_BODY)
    except ValueError as error:
        raise Failed(f'--host {host}: there is no such address; write one of this machine: 127.0.0.1.') from error
    except OSError as error:
        raise Failed(f'No server can listen at {host}, port {port}: {error.strerror or error}. See --port.') from error


def _parser() -> argparse.ArgumentParser:
    parser = new_parser('fsp-sandbox', 'A local Egnyte that keeps its state on disk.')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (default: %(default)s)')
    parser.add_argument('--port', type=_port, default=7700, help='0 takes any free one (default: %(default)s)')
    parser.add_argument('--root', required=True, metavar='DIR', type=_root, help='directory for all state')
    parser.add_argument('--seed', action='store_true', help='fill a new root with pictures and papers')
    parser.add_argument('--qps', type=_positive, metavar='N', help='calls a second and token (default: no limit)')
    parser.add_argument('--daily', type=_positive, metavar='N', help='calls a day and token (default: no limit)')
    parser.add_argument('--latency', type=_latency, default=0, metavar='SECONDS', help='delay of every call')
    parser.add_argument(
        '--throttle', choices=('429', 'mashery'), default='429', help='how a call too many is refused (default: 429)'
    )
    return parser


def _port(text: str) -> int:
    if not re.fullmatch('[0-9]{1,5}', text) or int(text) > 65535:
        raise argparse.ArgumentTypeError('write a whole number from 0 to 65535')
    return int(text)


def _latency(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= MAX_LATENCY:  # also true for NaN
        raise argparse.ArgumentTypeError(f'write a number of seconds from 0 to {MAX_LATENCY}')
    return value


def _root(text: str) -> str:
    """Return the path of a directory that exists or can be created."""
    path = Path(text).absolute()
    existing = next(found for found in (path, *path.parents) if os.path.exists(found))  # pathlib raises PermissionError
    if not text.strip() or not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f'{text!r} is no directory that can be written to')
    return text


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError('must be 1 or more')
    return value
