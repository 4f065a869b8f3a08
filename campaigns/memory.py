"""Peaks of memory: of the processes that render pictures, and of a service under wrong logins."""

import io
import os
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from PIL import Image

from benchmarks.client import PASSWORD, USERNAME
from fsp_pyramid.imaging.contract import Unrenderable
from fsp_pyramid.imaging.worker import MEMORY
from fsp_pyramid.imaging.worker_pool import RenderPool
from fsp_pyramid.passwords import CHECKS, hash_password
from tests.imaging.hostile import LYING_AVIF, icon_of, many_scans, tiled_tiff
from tests.imaging.oddities import flat_png, heic, saved
from tests.imaging.pictures import picture

from .effort import Effort
from .result import Result
from .world import Service, World, children, memory_of, send

# MB: a verification (argon2id with 19 MiB), and all else that requests take (stacks and buffers of threads that work at
# the same time: more of them on a busy machine).
VERIFICATION, REQUESTS = 19 * 1.048576, 40
WARM_UP = 320
# Times that wrong logins come: memory that is kept for each thread adds up.
FLOODS = 5


def _large(kind: str, megapixels: int, mode: str = 'RGB', noise: int = 0, **options: object) -> Callable[[], bytes]:
    """Return a function that makes a picture of so many megapixels."""
    side = int((megapixels * 1_000_000) ** 0.5)

    def make() -> bytes:
        image = Image.effect_noise((side, side), noise) if noise else Image.linear_gradient('L').resize((side, side))
        return saved(image.convert('RGB').convert(mode), kind, **options)

    return make


# Each format at the limit of pixels that it has.
PICTURES: dict[str, Callable[[], bytes]] = {
    'a small PNG': picture,
    'JPEG, 49 megapixels': _large('JPEG', 49, noise=50),
    'progressive JPEG, 49 megapixels': _large('JPEG', 49, noise=50, progressive=True),
    'PNG with alpha, 49 megapixels': _large('PNG', 49, 'RGBA', compress_level=1),
    'GIF, 49 megapixels': _large('GIF', 49, 'L'),
    'TIFF, 25 megapixels': _large('TIFF', 25, compression='tiff_lzw'),
    'WebP, 25 megapixels': _large('WEBP', 25, method=0),
    'AVIF, 25 megapixels': _large('AVIF', 25, speed=10),
    'JPEG 2000 with alpha, 12 megapixels': _large('JPEG2000', 12, 'RGBA'),
    'HEIC, 49 megapixels': lambda: heic(Image.linear_gradient('L').resize((7000, 7000)).convert('RGB')),
}
BOMBS: dict[str, Callable[[], bytes]] = {
    'AVIF of 200 x 200 pixels that hides 268 megapixels': lambda: LYING_AVIF,
    'PNG of 144 megapixels in 140 KB': lambda: flat_png(12_000, 12_000),
    'TIFF of 100 x 100 pixels in a tile of 144 megapixels': lambda: tiled_tiff(12_000),
    'ICO of 16 x 16 pixels with 144 megapixels': lambda: icon_of(flat_png(12_000, 12_000)),
    'JPEG of 25 megapixels with 99 scans': lambda: many_scans(Image.new('L', (5000, 5000)), 99),
}


def run(world: World, effort: Effort) -> Result:
    """Measure the peaks."""
    result = Result(
        'memory',
        f'A process that renders pictures takes less than its limit of {MEMORY // 1_000_000} MB, and half of it for a '
        f'picture that conceals its size; wrong logins at once take the memory of {CHECKS} verifications, and stop no '
        'user whose login is remembered.',
        'Resident memory (VmHWM) of a new rendering process for each picture, at the limit of pixels of its format; '
        f'of a service with a hashed password before and after {effort.logins} wrong logins at once, {FLOODS} times, '
        'with listings beside them.',
    )
    most = MEMORY / 1_000_000
    for pictures, bound in ((PICTURES, most), (BOMBS, most / 2)):
        for name in list(pictures)[: effort.pictures]:
            peak = _peak_of(pictures[name]())
            result.figures[f'{name}, MB'] = round(peak)
            result.expect(0 < peak < bound, f'{name} took {peak:.0f} MB')
    _log_in(world, effort, result)
    return result


def _peak_of(data: bytes) -> float:
    """Return the peak of a process that renders *data*, in MB."""
    pool, peak, done = RenderPool(1), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, _peak_of_workers())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with suppress(Unrenderable):
            pool.render(io.BytesIO(data))
        # The process is idle now, and still has its peak, unless a limit ended it.
        peak = max(peak, _peak_of_workers())
    finally:
        done.set()
        watcher.join()
        pool.close()
    return peak


def _peak_of_workers() -> float:
    # A child that was forked a moment ago has the memory of this process until it runs its program.
    workers = [pid for pid in children('self') if b'imaging.worker' in _command_line(pid)]
    return max((memory_of(pid, 'VmHWM') for pid in workers), default=0)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b''


def _log_in(world: World, effort: Effort, result: Result) -> None:
    """Send wrong logins at once, and listings of a remembered user beside them."""
    # The bound holds with the allocator's usual number of pools, too.
    service = world.service(FSP_PASSWORD=hash_password(PASSWORD), MALLOC_ARENA_MAX=None)
    client = world.client(service, 'm')
    statuses: Counter[int] = Counter()
    with ThreadPoolExecutor(effort.logins) as pool:
        client.get('/')
        list(pool.map(client.get, ['/'] * WARM_UP))  # this login is remembered; now all threads have worked
        before, listings = _reset_peak(service), set[int]()
        for _ in range(FLOODS):
            wrong = [pool.submit(_wrong_login, service, number) for number in range(effort.logins)]
            listings |= {client.get('/').status_int for _ in range(10)}
            statuses.update(each.result() for each in wrong)
    peak = memory_of(service.pid, 'VmHWM')
    most = before + CHECKS * VERIFICATION + REQUESTS
    result.figures |= {
        'wrong logins at once': effort.logins,
        'wrong logins: refused (401)': statuses[401],
        'wrong logins: told to wait (503)': statuses[503],
        'service before, MB': round(before),
        'service at most, MB': round(peak),
    }
    result.expect(peak < most, f'{effort.logins} wrong logins took {peak - before:.0f} MB')
    result.expect(listings == {200}, f'a remembered user was answered {listings}')
    result.expect(statuses.keys() <= {401, 503}, f'wrong logins were answered {dict(statuses)}')


def _reset_peak(service: Service) -> float:
    """Let the peak begin at the present memory, and return that."""
    Path(f'/proc/{service.pid}/clear_refs').write_text('5')
    return memory_of(service.pid, 'VmHWM')


def _wrong_login(service: Service, number: int) -> int:
    credentials = b64encode(f'{USERNAME}:wrong-{number}-{os.getpid()}'.encode()).decode()
    headers = {'Authorization': f'Basic {credentials}', 'X-BEE-ClientId': 'campaign', 'X-BEE-Uid': 'm'}
    return send(service.port, 'GET', '/fsp/', headers=headers).status_int
