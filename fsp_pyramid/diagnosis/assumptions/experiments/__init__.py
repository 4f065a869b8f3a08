"""Experiments by subject. Their order is that of the imports: some need what others left."""

from ..experiment import EXPERIMENTS

# isort: off
from . import identity, folders, uploads, downloads, moves, locks, listings, names, deletions, events

__all__ = ['EXPERIMENTS', 'deletions', 'downloads', 'events', 'folders', 'identity', 'listings', 'locks', 'moves',
           'names', 'uploads']  # fmt: skip
