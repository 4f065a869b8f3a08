"""Metrics: the contract between the code that reports events and the code that counts them."""

from collections.abc import Callable

from zope.interface import Interface, implementer

from .egnyte import CallInfo, Usage


class IMetrics(Interface):
    """Key of an application's :class:`Metrics` in its registry."""


@implementer(IMetrics)
class Metrics:
    """Contract and no-op: the metrics of an application that exports none. One object serves all mounts.

    Methods are called from any thread and never raise. Each string parameter takes few values: no path, no user.
    """

    def request_answered(self, operation: str, status: int, code: int | None, seconds: float) -> None:
        """Count a request that was answered *seconds* after its route was found, with its transaction ended.

        :param operation: as in the audit log (``other`` for methods that do not exist), or the name of a route
        :param code: of the error; None for a success
        """

    def call_made(self, called: CallInfo) -> None:
        """Count a call to Egnyte, retries included."""

    def cache_lookup(self, outcome: str) -> None:
        """Count a look-up in the listing cache: ``hit``, ``miss``, or ``stale`` for the use of an expired one."""

    def served(self, outcome: str, size: int) -> None:
        """Count a public file that was served, with *size* bytes of it; *outcome* says where it came from."""

    def thumbnail(self, outcome: str) -> None:
        """Count a request for a thumbnail: ``picture`` or ``placeholder``."""

    def source_refused(self, kind: str) -> None:
        """Count an upload that was refused because of its source; *kind* is the name of the SourceError."""

    def bytes_stored(self, size: int) -> None:
        """Add the size of an upload."""

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        """Record the quota of an account that made a call.

        :param account: a short digest
        :param usage: returns the calls that the account made today, and its daily limit
        """


class CombinedMetrics(Metrics):
    """Metrics that report each event to several others."""

    def __init__(self, *metrics: Metrics) -> None:
        self._metrics = metrics

    def request_answered(self, operation: str, status: int, code: int | None, seconds: float) -> None:
        for each in self._metrics:
            each.request_answered(operation, status, code, seconds)

    def call_made(self, called: CallInfo) -> None:
        for each in self._metrics:
            each.call_made(called)

    def cache_lookup(self, outcome: str) -> None:
        for each in self._metrics:
            each.cache_lookup(outcome)

    def served(self, outcome: str, size: int) -> None:
        for each in self._metrics:
            each.served(outcome, size)

    def thumbnail(self, outcome: str) -> None:
        for each in self._metrics:
            each.thumbnail(outcome)

    def source_refused(self, kind: str) -> None:
        for each in self._metrics:
            each.source_refused(kind)

    def bytes_stored(self, size: int) -> None:
        for each in self._metrics:
            each.bytes_stored(size)

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        for each in self._metrics:
            each.quota(account, usage)
