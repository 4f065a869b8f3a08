"""CPU for a cached listing, in process and without sockets, against a bare Pyramid view that answers the same JSON."""

import argparse
import cProfile
import pstats
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyramid.request import Request

from fsp_pyramid import main as make_bridge
from fsp_pyramid.testing import Sandbox

from .client import PASSWORD, TOKEN, USERNAME
from .report import table
from .world import HOME, PNG, SIZES
from .yardstick import make_app as make_bare

ROUNDS = 20
# Entries that are rendered in one round, so that small and large listings are measured for equally long.
ENTRIES = 4000


def main(options: argparse.Namespace, directory: Path) -> None:
    """Print the table and, if asked for, a profile."""
    sandbox = Sandbox(directory / 'egnyte')
    backend = make_bridge({}, **settings(directory))
    rows = []
    for size in SIZES:
        for number in range(size):
            sandbox.upload(f'{HOME}/list/d{size}/picture {number:04}.png', PNG)
        ask = asking(backend, f'/fsp/d{size}/')
        (directory / f'd{size}.json').write_bytes(ask())
        bare = asking(make_bare(directory), f'/json/d{size}')
        if bare() != ask():
            raise RuntimeError('the bare view answers something else')
        pairs = [(seconds(ask, ENTRIES // size), seconds(bare, ENTRIES // size)) for _ in range(ROUNDS)]
        # The quietest round: whatever else runs on the machine only ever adds to it.
        ours, theirs = (min(side) * 1000 for side in zip(*pairs, strict=True))
        rows.append((size, f'{ours:.2f} ms', f'{theirs:.2f} ms', f'{ours / theirs:.2f}'))
        if options.profile:
            profile(ask, ENTRIES // size)
    sys.stdout.write(table(('Entries', 'Bridge', 'Bare Pyramid JSON view', 'Ratio'), rows))


def settings(directory: Path) -> dict[str, str]:
    """Return settings for an in-process sandbox, which gets no call while listings are cached."""
    return {
        'fsp.username': USERNAME,
        'fsp.password': PASSWORD,
        'fsp.egnyte.url': f'sandbox:{directory}/egnyte',
        'fsp.egnyte.token': TOKEN,
        'fsp.cache.ttl': '86400',
        'tm.manager_hook': 'pyramid_tm.explicit_manager',
    }


def asking(application: Any, path: str) -> Callable[[], bytes]:
    """Return a function that sends one request to the WSGI application and returns the body."""
    credentials = b64encode(f'{USERNAME}:{PASSWORD}'.encode()).decode()
    request = Request.blank(path)
    request.headers.update({'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'bench', 'X-BEE-Uid': 'list'})
    environ = request.environ

    def ask() -> bytes:
        started: list[Any] = []
        body = b''.join(application(environ.copy(), lambda *start: started.append(start)))
        if started[-1][0] != '200 OK':
            raise RuntimeError(f'{started}: {body[:500]!r}')
        return body

    return ask


def seconds(ask: Callable[[], bytes], times: int) -> float:
    """CPU of this process for one request."""
    begun = time.process_time()
    for _ in range(times):
        ask()
    return (time.process_time() - begun) / times


def profile(ask: Callable[[], bytes], times: int) -> None:
    """Print the most expensive functions."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(times):
        ask()
    profiler.disable()
    pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats('tottime').print_stats(22)
