"""Runs the checks."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import (
    cache_directory,
    configuration,
    credentials,
    database,
    egnyte_access,
    public_base,
    redis_server,
    server,
)
from .installation import Installation
from .model import Result, failure

log = logging.getLogger(__name__)

Check = Callable[[Installation], Iterator[Result]]
OFFLINE: tuple[Check, ...] = (
    *configuration.CHECKS,
    *credentials.CHECKS,
    *server.CHECKS,
    *cache_directory.CHECKS,
    *redis_server.CHECKS,
    *database.CHECKS,
)


@dataclass(frozen=True, slots=True)
class Options:
    """Permissions of a diagnosis.

    :ivar with_egnyte: make calls to Egnyte
    :ivar with_public_link: load a file through its public link, for which a call finds one
    """

    with_egnyte: bool = True
    with_public_link: bool = False


def calls_needed(installation: Installation, options: Options) -> int:
    """Return the number of calls to Egnyte that a diagnosis makes at most."""
    calls = egnyte_access.calls_needed(installation) if options.with_egnyte else 0
    return calls + (public_base.calls_needed(installation) if options.with_public_link else 0)


def diagnose(installation: Installation, options: Options | None = None) -> list[Result]:
    """Run all checks, one after the other; return their results in that order. Network time-outs are some seconds."""
    options = options or Options()
    checks: list[Check] = [*OFFLINE]
    if options.with_egnyte:
        checks += egnyte_access.CHECKS
    checks += public_base.CHECKS
    if options.with_public_link:
        checks.append(public_base.check_link)
    return [result for check in checks for result in _guarded(check, installation)]


def _guarded(check: Check, installation: Installation) -> Iterator[Result]:
    """Give the results of a check; an error that it does not expect is a failure, without the error's text."""
    try:
        yield from check(installation)
    except Exception as error:  # the other checks have to be made; the text may hold a secret
        name = check.__name__.removeprefix('check_')
        log.debug('the check %s failed', name, exc_info=error)
        remedy = 'this is a fault of the check: report it with the version'
        yield failure('diagnosis.error', f'the check "{name}" ended with {type(error).__name__}', remedy)
