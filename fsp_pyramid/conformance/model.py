"""Value types: options, checks, results, and the report that holds them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .context import Context


class Level(StrEnum):
    """Level of a rule: documented (must), useful to the File Manager (should), or optional (may)."""

    MUST = 'must'
    SHOULD = 'should'
    MAY = 'may'


class Outcome(StrEnum):
    """Result of a check. ``warn`` is a rule below *must* that does not hold."""

    PASS = 'pass'  # noqa: S105 - no password
    FAIL = 'fail'
    SKIP = 'skip'
    WARN = 'warn'


class Profile(StrEnum):
    """Version of Beefree's page: the older one has neither moves nor conflict strategies."""

    SEED = 'seed'
    CURRENT = 'current'


class Unmet(Exception):
    """A rule does not hold; the message says what came instead."""


class Skip(Exception):
    """A check cannot be made; the message says why."""


class TransportError(Exception):
    """No complete HTTP answer came.

    :param unreachable: no connection could be made
    """

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.unreachable = unreachable


class Unusable(Exception):
    """The options do not fit the provider, so that the run ends; the message says which one and why."""


def require(condition: object, got: str) -> None:
    """Raise Unmet, which says what came, unless *condition* holds."""
    if not condition:
        raise Unmet(got)


@dataclass(frozen=True)
class Check:
    """One rule and the function that looks whether it holds.

    :ivar id: stable name, ``group.rule``
    :ivar reference: section of Beefree's page, or the standard, that the rule rests on
    :ivar needs: ids of checks that have to hold before this one makes sense
    :ivar cost: requests that the check makes itself, cleaning up included, beyond those that checks share
    :ivar changes: whether it needs to write
    :ivar current: whether the rule is absent from the profile ``seed``
    """

    id: str
    title: str
    level: Level
    expected: str
    reference: str
    needs: tuple[str, ...]
    cost: int
    changes: bool
    current: bool
    function: Callable[['Context'], None]

    @property
    def group(self) -> str:
        """Return the part of the id before the dot."""
        return self.id.partition('.')[0]


@dataclass(frozen=True)
class Result:
    """Outcome of a check. *got* is the reason if it was skipped."""

    check: Check
    outcome: Outcome
    got: str
    seconds: float


@dataclass(frozen=True)
class Options:
    """Selection of checks, and the limits of a run.

    :ivar base_url: of the provider, with or without a slash at its end
    :ivar source: URL of a picture that the provider can fetch; '' for one that the suite finds or serves itself
    :ivar directory: the directory in which the suite makes its own, with a slash at both ends
    :ivar only: names of groups; empty for all
    :ivar timeout: seconds for a request
    :ivar ca_file: certificates of the authorities to trust, instead of the usual ones
    """

    base_url: str
    username: str
    password: str = field(repr=False)
    client_id: str = 'fsp-check'
    uid: str = 'fsp-check'
    source: str = ''
    directory: str = '/'
    read_only: bool = False
    only: tuple[str, ...] = ()
    timeout: float = 30.0
    profile: Profile = Profile.CURRENT
    ca_file: str = ''


@dataclass
class Report:
    """Results in the order of the checks.

    :ivar left: paths that could not be cleaned up
    :ivar requests: how many were made
    :ivar interrupted: the run was ended from outside
    :ivar unreachable: no connection to the provider could be made
    :ivar stopped_answering: the provider answered at first, and then did not answer any more
    :ivar unusable: the option that does not fit the provider, and why; '' if all do
    """

    endpoint: str
    profile: Profile
    results: list[Result] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    requests: int = 0
    interrupted: bool = False
    unreachable: bool = False
    stopped_answering: bool = False
    unusable: str = ''

    def of(self, outcome: Outcome) -> list[Result]:
        """Return the results with *outcome*."""
        return [result for result in self.results if result.outcome is outcome]

    @property
    def status(self) -> int:
        """Return the exit status: 0 if all *must* hold, 1 if some fail, 2 if the suite could not be run."""
        if self.interrupted or self.unreachable or self.stopped_answering or self.unusable:
            return 2
        if not any(result.outcome is not Outcome.SKIP for result in self.results):
            return 2
        return 1 if self.of(Outcome.FAIL) else 0
