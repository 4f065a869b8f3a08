"""Conformance suite for Beefree file system providers: HTTP in, a report out.

The suite acts as Beefree's server does. It knows the protocol and nothing of this package, so it can judge the provider
of anybody. ``fsp-check`` is its command; ``run`` is the same for programs.
"""

from .engine import run
from .model import Level, Options, Outcome, Profile, Report, Result
from .registry import GROUPS, checks

__all__ = ['GROUPS', 'Level', 'Options', 'Outcome', 'Profile', 'Report', 'Result', 'checks', 'run']
