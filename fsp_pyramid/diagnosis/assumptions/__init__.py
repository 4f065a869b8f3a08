"""Assumptions about Egnyte, and experiments that test them on a real domain.

The bridge and its sandbox are made from documentation, SDKs and guesses. ``run()`` makes some calls in a folder of its
own, which it removes, and says of each assumption whether it holds there.
"""

from .engine import Report, calls_needed, run
from .model import Finding, Outcome
from .table import ASSUMPTIONS, Assumption, Status

__all__ = ['ASSUMPTIONS', 'Assumption', 'Finding', 'Outcome', 'Report', 'Status', 'calls_needed', 'run']
