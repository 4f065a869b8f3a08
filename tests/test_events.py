"""Events: what threads must not find undone."""

import subprocess
import sys

CODE = """
from fsp_pyramid import events
kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.FileSystemEvent)}
assert len(kinds) == 6, kinds
assert [kind for kind in kinds if '__implemented__' not in vars(kind)] == []
"""


def test_no_event_is_left_for_threads_to_specify() -> None:
    """In a new process, because other tests use the events."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', CODE], check=True)
