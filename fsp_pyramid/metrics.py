"""What is counted, as methods that are named after what happens. This one counts nothing: ``ops.metrics`` does."""

from collections.abc import Callable

from zope.interface import implementer

from .egnyte import CallInfo, Usage
from .interfaces import IMetrics


@implementer(IMetrics)
class Metrics:
    """See IMeter: for applications without metrics."""

    def request_answered(self, operation: str, status: int, code: int | None, seconds: float) -> None:
        """See IMeter."""

    def call_made(self, called: CallInfo) -> None:
        """See IMeter."""

    def looked(self, outcome: str) -> None:
        """See IMeter."""

    def served(self, outcome: str, size: int) -> None:
        """See IMeter."""

    def thumbnail(self, outcome: str) -> None:
        """See IMeter."""

    def source_refused(self, kind: str) -> None:
        """See IMeter."""

    def bytes_stored(self, size: int) -> None:
        """See IMeter."""

    def quota(self, account: str, usage: Callable[[], Usage]) -> None:
        """See IMeter."""
