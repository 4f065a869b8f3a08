"""Value types of a diagnosis: results with a level, and their order."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Outcome of a check."""

    OK = 'ok'
    WARNING = 'warning'
    FAILURE = 'failure'
    SKIPPED = 'skipped'


WORST_FIRST = (Level.FAILURE, Level.WARNING, Level.OK, Level.SKIPPED)


@dataclass(frozen=True, slots=True)
class Result:
    """Finding of one check. It names hosts, paths and users, and never a secret.

    :ivar id: stable name, ``group.check``
    :ivar subject: what was checked, if there are several: a client, a directory, a service; '' otherwise
    :ivar found: what was found, or the reason for skipping the check
    :ivar remedy: what to do; '' if nothing needs to be done
    """

    id: str
    level: Level
    found: str
    subject: str = ''
    remedy: str = ''


def ok(name: str, found: str, subject: str = '') -> Result:
    """Return the result of a check that found nothing wrong."""
    return Result(name, Level.OK, found, subject)


def warning(name: str, found: str, remedy: str, subject: str = '') -> Result:
    """Return the result of a check that found something that works and should be changed."""
    return Result(name, Level.WARNING, found, subject, remedy)


def failure(name: str, found: str, remedy: str, subject: str = '') -> Result:
    """Return the result of a check that found something that does not work, or is not safe."""
    return Result(name, Level.FAILURE, found, subject, remedy)


def skipped(name: str, reason: str, subject: str = '') -> Result:
    """Return the result of a check that could not be made, or makes no sense here."""
    return Result(name, Level.SKIPPED, reason, subject)


def worst_first(results: Iterable[Result]) -> list[Result]:
    """Return the results by level, each level in the order of the checks."""
    return sorted(results, key=lambda result: WORST_FIRST.index(result.level))
