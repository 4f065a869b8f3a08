"""Worker process that renders pictures: pictures come from standard input, thumbnails go to standard output.

``worker_pool`` starts it. A picture is a header (``contract.REQUEST``) and its bytes; the answer is a header
(``contract.ANSWER``) and either a thumbnail or the reason of its absence. Nothing is pickled: the parent trusts no byte
that it reads. The worker ends at the end of its input, so it never outlives its parent by more than one picture.

Resource limits replace trust in decoders. No file and no socket can be opened, the address space and the CPU time of a
picture are bounded, and the environment holds no secret. The limits are no sandbox: a decoder that executes injected
code still runs as the user of the parent, and may signal its processes or remove its files.
"""

import os
import resource
import signal
import sys
import warnings

from PIL import AvifImagePlugin, ImageFile

from . import formats
from .contract import ANSWER, CPU, READY, REQUEST, Unrenderable
from .render import render_bytes

MEMORY = 576_000_000  # bytes of address space
_REASON = 300  # characters


def main() -> None:
    """Answer requests until the input ends."""
    _restrict()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    target.write(READY)
    target.flush()
    while len(header := source.read(REQUEST.size)) == REQUEST.size:
        (size,) = REQUEST.unpack(header)
        data = source.read(size)
        if len(data) < size:
            return
        _limit_cpu()
        rendered, answer = _answer(data)
        del data
        target.write(ANSWER.pack(rendered, len(answer)) + answer)
        target.flush()


def _answer(data: bytes) -> tuple[bool, bytes]:
    try:
        return True, render_bytes(data)
    except Unrenderable as error:
        if isinstance(error.__cause__, MemoryError):
            raise  # earlier pictures may have used up the memory of this process
        return False, str(error)[:_REASON].encode('ascii', 'backslashreplace')


def _restrict() -> None:
    """Load all that rendering needs, then set the limits."""
    formats.load_plugins()
    # Browsers show truncated pictures, and PNGs with a wrong checksum in an optional chunk.
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # by default one for each processor, with memory of its own
    warnings.simplefilter('ignore')
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, whose end is the end of the input
    # Up to here a traceback shows why the worker does not start. Output of decoders is controlled by the picture.
    with open(os.devnull, 'wb') as null:
        os.dup2(null.fileno(), sys.stderr.fileno())
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),  # last: afterwards neither files nor sockets can be opened
    ):
        resource.setrlimit(limit, (value, value))


def _limit_cpu() -> None:
    """Let the kernel kill the process after another :data:`CPU` seconds of CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + CPU, hard))
