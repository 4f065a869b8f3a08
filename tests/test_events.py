"""Events: their specifications for subscribers are made at import."""

import subprocess
import sys

CODE = """
from fsp_pyramid import events
kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.FileSystemEvent)}
assert len(kinds) == 6, kinds
assert [kind for kind in kinds if '__implemented__' not in vars(kind)] == []
"""


def test_specifications_are_made_at_import() -> None:
    """In a new process, because other tests use the events. Two threads could make one at once."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', CODE], check=True)
