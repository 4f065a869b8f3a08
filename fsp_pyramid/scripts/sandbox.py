"""``fsp-sandbox``: a local Egnyte on a port of its own."""

import argparse
from collections.abc import Sequence

from waitress.server import create_server

from ..sandbox import make_app
from ..sandbox.provision import USERS, token_of
from ..sandbox.users import API_KEY, API_SECRET
from .command import new_parser

THREADS = 16
# waitress refuses more than 1 GiB unless told otherwise; Egnyte takes chunks of up to 1 GB.
MAX_BODY = 16 * 1024**3


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
    server = create_server(
        application, host=options.host, port=options.port, threads=THREADS, max_request_body_size=MAX_BODY
    )
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


def _parser() -> argparse.ArgumentParser:
    parser = new_parser('fsp-sandbox', 'A local Egnyte that keeps its state on disk.')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (default: %(default)s)')
    parser.add_argument('--port', type=int, default=7700, help='0 takes any free one (default: %(default)s)')
    parser.add_argument('--root', required=True, metavar='DIR', help='directory for all state, created if missing')
    parser.add_argument('--seed', action='store_true', help='fill a new root with pictures and papers')
    parser.add_argument('--qps', type=_positive, metavar='N', help='calls a second and token (default: no limit)')
    parser.add_argument('--daily', type=_positive, metavar='N', help='calls a day and token (default: no limit)')
    parser.add_argument('--latency', type=float, default=0, metavar='SECONDS', help='delay of every call')
    parser.add_argument(
        '--throttle', choices=('429', 'mashery'), default='429', help='how a call too many is refused (default: 429)'
    )
    return parser


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError('must be 1 or more')
    return value
