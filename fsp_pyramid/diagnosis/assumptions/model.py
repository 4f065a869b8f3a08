"""Value types: what an experiment found."""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """State of an assumption after a run."""

    CONFIRMED = 'confirmed'
    DIFFERENT = 'different'
    NOT_TRIED = 'not tried'


@dataclass(frozen=True, slots=True)
class Finding:
    """Result for one assumption. Nothing in it names a person, a file, a host or a token.

    :ivar id: of the assumption
    :ivar got: what was seen, or the reason why it was not tried
    :ivar status: HTTP status of the answer; 0 without one
    :ivar headers: of the answer, with values that are masked
    :ivar body: shape of the answer's body
    :ivar fits: value of the sandbox's switch under which it answers as this Egnyte does; '' without one
    """

    id: str
    outcome: Outcome
    got: str = ''
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ''
    fits: str = ''


class NotTried(Exception):
    """An experiment cannot be made; the message says why."""


class Stopped(Exception):
    """No further call can be made; the message says why."""
