"""Prometheus metrics, in a registry of their own. Needs the extra ``metrics``.

Every metric has labels, because one without creates its file at the start, where several processes share theirs in
``PROMETHEUS_MULTIPROC_DIR``.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from ..egnyte import CallInfo, Usage
from ..metrics import Metrics

PREFIX = 'fsp_'
DIRECTORY = 'PROMETHEUS_MULTIPROC_DIR'
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A process exports the quota of so many accounts: each is a time series, and each user may have one.
MOST_ACCOUNTS = 500


class PrometheusMetrics(Metrics):
    """Metrics as Prometheus collectors."""

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
        self._lookups = counter('listing_looks', 'Looks at remembered listings', 'outcome')
        self._served = counter('public_files', 'Public files that were served', 'outcome')
        self._thumbnails = counter('thumbnails', 'Thumbnails that were asked for', 'outcome')
        self._refused = counter('sources_refused', 'Uploads that were refused because of their source', 'kind')
        self._bytes = counter('bytes', 'Bytes of files', 'direction')

    def request_answered(self, operation: str, status: int, code: int | None, seconds: float) -> None:
        self._requests.labels(operation, status, code or '').inc()
        self._request_seconds.labels(operation).observe(seconds)

    def call_made(self, called: CallInfo) -> None:
        self._calls.labels(called.method, called.outcome).inc()
        self._call_seconds.labels(called.method).observe(called.seconds)
        self._waits.labels(called.method).observe(called.waited)

    def cache_lookup(self, outcome: str) -> None:
        self._lookups.labels(outcome).inc()

    def served(self, outcome: str, size: int) -> None:
        self._served.labels(outcome).inc()
        self._bytes.labels('served').inc(size)

    def thumbnail(self, outcome: str) -> None:
        self._thumbnails.labels(outcome).inc()

    def source_refused(self, kind: str) -> None:
        self._refused.labels(kind).inc()

    def bytes_stored(self, size: int) -> None:
        self._bytes.labels('stored').inc(size)

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        if account not in self._accounts:
            if len(self._accounts) >= MOST_ACCOUNTS:
                return
            self._accounts.add(account)
        current = usage()
        self._left.labels(account).set(max(0, current.daily - current.used))
        self._daily.labels(account).set(current.daily)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics of all processes that share a directory, and their content type.

        :param accept: the request's header, which selects OpenMetrics or Prometheus' own text
        """
        encode, content_type = choose_encoder(accept)
        return encode(_SharedFiles() if DIRECTORY in os.environ else self.registry), content_type


class _SharedFiles:
    """Collector of our metrics in the directory that the processes share."""

    def collect(self) -> Iterator[Any]:
        return (metric for metric in MultiProcessCollector(None).collect() if metric.name.startswith(PREFIX))


_shared_metrics = cache(PrometheusMetrics)


def make_metrics() -> PrometheusMetrics:
    """Return the metrics of an application.

    Where processes share files, the applications of one process share one object: two that write the same file would
    reset each other's counts.
    """
    return _shared_metrics() if DIRECTORY in os.environ else PrometheusMetrics()
