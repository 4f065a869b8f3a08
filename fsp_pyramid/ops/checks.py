"""Whether requests would succeed: what they need is asked now and then, and what came of it is remembered."""

import logging
import threading
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, NamedTuple

from ..backends import redis_client
from ..interfaces import IAccountStores, IBackends, IMount
from ..settings import Settings
from . import probes

log = logging.getLogger(__name__)
# Seconds: how long a verdict counts, and how long somebody waits for one.
SOON, LATER = 5.0, 30.0
PATIENCE = 5.0

Ask = Callable[[], str]


class Verdict(NamedTuple):
    """What came of a check; the reason tells hosts and kinds of errors, and never a secret."""

    ok: bool
    reason: str


_LATE = Verdict(False, f'no answer within {PATIENCE:g} seconds')


class Check:
    """A question that is asked by one thread at a time, and not before the last verdict is *ttl* seconds old.

    The thread is the check's own: whoever wants to know it can stop waiting.
    """

    def __init__(self, name: str, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._ttl, self._clock = name, ttl, clock
        self._lock = threading.Lock()
        self._verdict = Verdict(True, '')
        self._until = float('-inf')
        self._asking: threading.Thread | None = None

    def begin(self, ask: Ask) -> None:
        """Ask, if it is time. *ask* returns what is well, and raises what is not."""
        with self._lock:
            if self._asking is None and self._clock() >= self._until:
                # A thread that hangs in somebody's library must not keep the process from ending.
                self._asking = threading.Thread(target=self._answer, args=(ask,), daemon=True)
                self._asking.start()

    def verdict(self, patience: float) -> Verdict:
        """The answer, or the last one; after *patience* seconds without an answer it is that there is none."""
        with self._lock:
            asking, late = self._asking, self._verdict == _LATE
        # Who comes while somebody has waited in vain already need not wait as well.
        if asking is not None and not late:
            asking.join(patience)
        with self._lock:
            if self._asking is not None and self._asking is asking:
                self._keep(_LATE)
            return self._verdict

    def _answer(self, ask: Ask) -> None:
        try:
            verdict = Verdict(True, ask())
        except Exception as error:  # noqa: BLE001 - whatever a library raises means the same
            verdict = Verdict(False, error.args[0] if isinstance(error, probes.ProbeFailed) else type(error).__name__)
        with self._lock:
            self._keep(verdict)
            self._until, self._asking = self._clock() + self._ttl, None

    def _keep(self, verdict: Verdict) -> None:
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
    """The checks of an application. Making one does no I/O."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        soon = ('settings', 'database', 'pace', 'redis', 'cache_dir', 'tmpdir')
        self._checks = {name: Check(name, SOON) for name in soon} | {'egnyte': Check('egnyte', LATER)}

    def verdicts(self, request: Any) -> dict[str, Verdict]:
        """What came of each check that the application needs, by name; all are asked at once."""
        asks = self._asks(request)
        for name, ask in asks.items():
            self._checks[name].begin(ask)
        end = time.monotonic() + PATIENCE
        return {name: self._checks[name].verdict(max(0.0, end - time.monotonic())) for name in asks}

    def _asks(self, request: Any) -> dict[str, Ask]:
        registry, settings = request.registry, self._settings
        mounts = [mount for _, mount in registry.getUtilitiesFor(IMount)]
        asks: dict[str, Ask] = {'settings': lambda: f'right, for {len(mounts)} mount{"s" * (len(mounts) > 1)}'}
        stores = registry.queryUtility(IAccountStores)
        if stores is not None:
            asks['database'] = partial(_answers, stores.probe(request))
        if settings.pace.backend != 'memory':
            asks['pace'] = partial(_answers, registry.getUtility(IBackends).rate_limiter.probe)
        if 'redis' in (settings.cache.backend, settings.pace.backend):
            asks['redis'] = lambda: _answers(self._redis.ping)
        if settings.public.cache_dir:
            asks['cache_dir'] = partial(probes.directory, settings.public.cache_dir)
        asks['tmpdir'] = probes.temporary
        client_backends = [backend for mount in mounts for backend in mount.client_backends.values()]
        asks['egnyte'] = partial(probes.egnyte, client_backends, LATER)
        return asks

    @cached_property
    def _redis(self) -> Any:
        return redis_client(self._settings.redis_url)


def _answers(ask: Callable[[], object]) -> str:
    ask()
    return 'answers'
