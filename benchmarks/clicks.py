"""Calls to Egnyte in a session of 200 clicks: by operation, and how many clicks need none."""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from fsp_pyramid.testing import Sandbox

from .client import Connection
from .report import table
from .walk import Walk
from .world import HOME, PNG, World, start_world

CLICKS = 200
WEIGHTS = {'list': 35, 'open': 30, 'upload': 12, 'replace': 6, 'move': 6, 'delete': 6, 'create': 5}
CHANGES = set(WEIGHTS) - {'list', 'open'}
AFTER = 'list after a change'


def main(options: argparse.Namespace, directory: Path) -> None:
    """Print the table."""
    with start_world(directory) as world:
        walk = start(world, options, WEIGHTS)
        costs: dict[str, list[int]] = defaultdict(list)
        for _ in range(20 if options.quick else CLICKS):
            world.egnyte.forget_calls()
            operation, where, answer = walk.step()
            if answer.status_int >= 300:
                raise RuntimeError(f'{operation} in {where}: {answer}')
            costs[operation].append(len(world.egnyte.calls))
            if operation in CHANGES:
                costs[AFTER].append(world.calls_of(lambda path=where: walk.list(path)))
    lines = [(name, costs[name]) for name in (*WEIGHTS, AFTER) if costs[name]]
    lines.append(('all', [calls for found in costs.values() for calls in found]))
    rows = [
        (name, len(found), sum(found), f'{sum(found) / len(found):.2f}', f'{found.count(0) / len(found):.0%}')
        for name, found in lines
    ]
    sys.stdout.write(table(('Operation', 'Times', 'Calls to Egnyte', 'Calls each', 'From memory'), rows))


def start(world: World, options: argparse.Namespace, weights: dict[str, int], **settings: str) -> Walk:
    """Return a walk through a small tree, by a user whose service has just been started."""
    sandbox = Sandbox(world.directory / 'egnyte')
    for folder in range(3 if options.quick else 12):
        for number in range(5 if options.quick else 25):
            sandbox.upload(f'{HOME}/walker/folder {folder}/picture {number}.png', PNG + bytes((folder, number)) * 500)
    (world.offered / 'source.png').write_bytes(PNG + b'x' * 2000)
    service, offering = world.service(**settings), world.yardstick()
    source = f'http://127.0.0.1:{offering.port}/file/source.png'
    return Walk(world.user(service, 'walker'), Connection(service.port, {}), source, weights, options.seed)
