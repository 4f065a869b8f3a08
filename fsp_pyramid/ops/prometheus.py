"""Metrics for Prometheus, in a registry of their own. It needs the extra ``metrics``.

Every metric has labels, because one without would make its file at the start, where several processes share theirs in
``PROMETHEUS_MULTIPROC_DIR``.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from zope.interface import implementer

from ..egnyte import CallInfo, Usage
from ..interfaces import IMetrics

PREFIX = 'fsp_'
DIRECTORY = 'PROMETHEUS_MULTIPROC_DIR'
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A process tells the quota of so many accounts; each is a series, and there may be one for each user.
MOST_ACCOUNTS = 500


@implementer(IMetrics)
class PrometheusMetrics:
    """See IMeter."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._accounts: set[str] = set()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(PREFIX + name, text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(PREFIX + name, text, labels, registry=registry, buckets=SECONDS)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(PREFIX + name, text, labels, registry=registry, multiprocess_mode='mostrecent')

        self._requests = counter('requests', 'Requests that were answered', 'operation', 'status', 'code')
        self._request_seconds = histogram('request_seconds', 'Seconds until requests were answered', 'operation')
        self._calls = counter('egnyte_calls', 'Calls to Egnyte', 'method', 'outcome')
        self._call_seconds = histogram('egnyte_call_seconds', 'Seconds until Egnyte answered', 'method')
        self._waits = histogram('egnyte_wait_seconds', 'Seconds that calls waited for their turn', 'method')
        self._left = gauge('egnyte_calls_left', 'Calls that an account has left today', 'account')
        self._daily = gauge('egnyte_calls_daily', 'Calls that an account has a day', 'account')
        self._looks = counter('listing_looks', 'Looks at remembered listings', 'outcome')
        self._served = counter('public_files', 'Public files that were served', 'outcome')
        self._thumbnails = counter('thumbnails', 'Thumbnails that were asked for', 'outcome')
        self._refused = counter('sources_refused', 'Uploads that were refused because of their source', 'kind')
        self._bytes = counter('bytes', 'Bytes of files', 'direction')

    def request_answered(self, operation: str, status: int, code: int | None, seconds: float) -> None:
        """See IMeter."""
        self._requests.labels(operation, status, code or '').inc()
        self._request_seconds.labels(operation).observe(seconds)

    def call_made(self, called: CallInfo) -> None:
        """See IMeter."""
        self._calls.labels(called.method, called.outcome).inc()
        self._call_seconds.labels(called.method).observe(called.seconds)
        self._waits.labels(called.method).observe(called.waited)

    def looked(self, outcome: str) -> None:
        """See IMeter."""
        self._looks.labels(outcome).inc()

    def served(self, outcome: str, size: int) -> None:
        """See IMeter."""
        self._served.labels(outcome).inc()
        self._bytes.labels('served').inc(size)

    def thumbnail(self, outcome: str) -> None:
        """See IMeter."""
        self._thumbnails.labels(outcome).inc()

    def source_refused(self, kind: str) -> None:
        """See IMeter."""
        self._refused.labels(kind).inc()

    def bytes_stored(self, size: int) -> None:
        """See IMeter."""
        self._bytes.labels('stored').inc(size)

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        """See IMeter: of the first 500 accounts."""
        if account not in self._accounts:
            if len(self._accounts) >= MOST_ACCOUNTS:
                return
            self._accounts.add(account)
        told = usage()
        self._left.labels(account).set(max(0, told.daily - told.used))
        self._daily.labels(account).set(told.daily)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All that was counted, by all processes that share a directory, and its content type.

        *accept* is the header of whoever asks: OpenMetrics or Prometheus' own text.
        """
        encode, content_type = choose_encoder(accept)
        return encode(_SharedFiles() if DIRECTORY in os.environ else self.registry), content_type


class _SharedFiles:
    """What the processes wrote into their directory, as far as it is ours."""

    def collect(self) -> Iterator[Any]:
        return (metric for metric in MultiProcessCollector(None).collect() if metric.name.startswith(PREFIX))


_the_meter = cache(PrometheusMetrics)


def make_meter() -> PrometheusMetrics:
    """The meter of an application.

    Where processes share files, the applications of one process share a meter: two that write the same file would each
    take the other's counts back.
    """
    return _the_meter() if DIRECTORY in os.environ else PrometheusMetrics()
