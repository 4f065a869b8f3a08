"""Diagnosis of an installation: checks that name what is wrong and what to do. Independent of the web framework.

``diagnose(Installation.of(registry, os.environ))`` runs in a running application as well as in a command; the readiness
check uses the same probes. Nothing is changed: no table, no directory and no file at Egnyte is created.
"""

from .engine import Options, calls_needed, diagnose
from .installation import Installation
from .model import Level, Result, worst_first
from .proxy import Proxy

__all__ = ['Installation', 'Level', 'Options', 'Proxy', 'Result', 'calls_needed', 'diagnose', 'worst_first']
