"""The checks of the status page."""

from typing import NamedTuple

from pyramid.request import Request

from ..ops.checks import Readiness


class CheckResult(NamedTuple):
    """Result of one check, for operators: it holds no secret."""

    name: str
    ok: bool
    text: str


def run_checks(request: Request, readiness: Readiness) -> list[CheckResult]:
    """Return the results of all checks. They are cached for seconds, and make no call to Egnyte's API."""
    return [CheckResult(name, verdict.ok, verdict.reason) for name, verdict in readiness.verdicts(request).items()]
