"""Readiness: cached checks of the services that requests need."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from pyramid.request import Request

from ..backends import redis_client
from ..diagnosis import probes
from ..interfaces import IAccountStores, IBackends, IMount
from ..reify import reify
from ..settings import Settings

log = logging.getLogger(__name__)
# Seconds: how long a verdict is cached, and how long a request waits for one.
TTL, EGNYTE_TTL = 5.0, 30.0
TIMEOUT = 5.0

Probe = Callable[[], str]


class Verdict(NamedTuple):
    """Result of a check; the reason names hosts and kinds of errors, never a secret."""

    ok: bool
    reason: str


_LATE = Verdict(False, f'no answer within {TIMEOUT:g} seconds')


class Check:
    """Probe that runs in one thread at a time, with a verdict that is cached for *ttl* seconds.

    The thread is the check's own, so that requests need not wait for its end.
    """

    def __init__(self, name: str, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._ttl, self._clock = name, ttl, clock
        self._lock = threading.Lock()
        self._verdict = Verdict(True, '')
        self._until = float('-inf')
        self._thread: threading.Thread | None = None

    def begin(self, probe: Probe) -> None:
        """Start *probe* unless it runs or its verdict is cached. It returns a short text, and raises on failure."""
        with self._lock:
            if self._thread is None and self._clock() >= self._until:
                # Daemon: a thread that hangs in a library must not keep the process from ending.
                self._thread = threading.Thread(target=self._run, args=(probe,), daemon=True)
                self._thread.start()

    def verdict(self, timeout: float) -> Verdict:
        """Return the verdict; after *timeout* seconds without one, a failure."""
        with self._lock:
            thread, late = self._thread, self._verdict == _LATE
        # After one request has waited in vain, the next ones need not wait as well.
        if thread is not None and not late:
            thread.join(timeout)
        with self._lock:
            if self._thread is not None and self._thread is thread:
                self._set(_LATE)
            return self._verdict

    def _run(self, probe: Probe) -> None:
        try:
            verdict = Verdict(True, probe())
        except Exception as error:  # noqa: BLE001 - any error of a library means the same
            verdict = Verdict(False, error.args[0] if isinstance(error, probes.ProbeFailed) else type(error).__name__)
        with self._lock:
            self._set(verdict)
            self._until, self._thread = self._clock() + self._ttl, None

    def _set(self, verdict: Verdict) -> None:
        if verdict.ok != self._verdict.ok:
            log.log(
                logging.INFO if verdict.ok else logging.WARNING,
                '%s: %s is %s',
                'ready again' if verdict.ok else 'not ready',
                self._name,
                verdict.reason,
            )
        self._verdict = verdict


class Readiness:
    """Checks of an application. The constructor does no I/O."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        names = ('settings', 'database', 'pace', 'redis', 'cache_dir', 'tmpdir')
        self._checks = {name: Check(name, TTL) for name in names} | {'egnyte': Check('egnyte', EGNYTE_TTL)}

    def verdicts(self, request: Request) -> dict[str, Verdict]:
        """Return the verdict of each check that the application needs, by name; the checks run in parallel."""
        needed = self._probes(request)
        for name, probe in needed.items():
            self._checks[name].begin(probe)
        end = time.monotonic() + TIMEOUT
        return {name: self._checks[name].verdict(max(0.0, end - time.monotonic())) for name in needed}

    def _probes(self, request: Request) -> dict[str, Probe]:
        registry, settings = request.registry, self._settings
        mounts = [mount for _, mount in registry.getUtilitiesFor(IMount)]
        needed: dict[str, Probe] = {'settings': lambda: f'right, for {len(mounts)} mount{"s" * (len(mounts) > 1)}'}
        stores = registry.queryUtility(IAccountStores)
        if stores is not None:
            needed['database'] = partial(_answers, stores.probe(request))
        if settings.pace.backend != 'memory':
            needed['pace'] = partial(_answers, registry.getUtility(IBackends).rate_limiter.probe)
        if 'redis' in (settings.cache.backend, settings.pace.backend):
            needed['redis'] = lambda: _answers(lambda: probes.redis(self._redis))
        if settings.public.cache_dir:
            needed['cache_dir'] = partial(probes.directory, settings.public.cache_dir)
        needed['tmpdir'] = probes.temporary
        client_backends = [backend for mount in mounts for backend in mount.client_backends.values()]
        needed['egnyte'] = partial(probes.egnyte, client_backends, EGNYTE_TTL)
        return needed

    @reify
    def _redis(self) -> Any:
        return redis_client(self._settings.redis_url)


def _answers(probe: Callable[[], object]) -> str:
    probe()
    return 'answers'
