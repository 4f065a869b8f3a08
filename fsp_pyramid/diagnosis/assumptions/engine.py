"""Runs the experiments, and removes the scratch folder whatever happens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ...egnyte import QuotaExceeded
from ...egnyte.errors import from_response
from ..calls import Caller
from .experiment import Experiment
from .experiments import EXPERIMENTS
from .lab import Lab
from .model import Finding, NotTried, Outcome, Stopped
from .table import ASSUMPTIONS

# Looking at the folder above, creating the scratch folder, and removing it.
OWN_CALLS = 3
# Assumptions that no experiment tries, because it would exceed limits or needs a person.
UNTRIED = {
    'limits.refusal': 'no call was refused, and none is made to provoke it',
    'limits.grants': 'it would use up the grants of an hour',
    'identity.refresh': 'it needs a new consent of a user',
}


@dataclass
class Report:
    """Findings in the order of the table.

    :ivar calls: that were made
    :ivar left: path of the scratch folder if it could not be removed
    """

    findings: list[Finding] = field(default_factory=list)
    calls: int = 0
    left: str = ''
    interrupted: bool = False


def calls_needed() -> int:
    """Return the number of calls of a run at most."""
    return OWN_CALLS + sum(experiment.calls for experiment in EXPERIMENTS)


def run(
    caller: Caller,
    parent: str,
    second: Caller | None = None,
    on_finding: Callable[[Finding], None] = lambda _finding: None,
) -> Report:
    """Try all assumptions in a new folder below *parent*, an Egnyte path.

    Raises NotTried if the folder cannot be created. Ctrl-C ends a run; the folder is removed then as well.
    """
    lab, report = Lab(caller, parent, second), Report()
    found: dict[str, Finding] = {}
    try:
        lab.create()
        for finding in _findings(lab):
            found[finding.id] = finding
            on_finding(finding)
    except Stopped as error:
        reason = str(error)
    except KeyboardInterrupt:
        report.interrupted, reason = True, 'the run was interrupted'
    else:
        reason = 'no experiment tried it'
    finally:
        report.left = lab.remove()
    found |= _refusal(caller, lab)
    report.calls = caller.count + (second.count if second else 0)
    for assumption in ASSUMPTIONS:
        text = UNTRIED.get(assumption.id, reason)
        report.findings.append(found.get(assumption.id) or Finding(assumption.id, Outcome.NOT_TRIED, text))
    return report


def _findings(lab: Lab) -> Iterator[Finding]:
    for experiment in EXPERIMENTS:
        yield from _made(lab, experiment)


def _made(lab: Lab, experiment: Experiment) -> Iterator[Finding]:
    """Give a finding for each assumption of an experiment."""
    missing, reason = dict.fromkeys(experiment.ids), 'the experiment did not come to it'
    try:
        for finding in experiment.function(lab):
            missing.pop(finding.id)
            yield finding
    except NotTried as error:
        reason = str(error)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # an answer of an unexpected shape
        reason = f'the answer has an unexpected shape ({type(error).__name__})'
    for name in missing:
        yield Finding(name, Outcome.NOT_TRIED, reason)


def _refusal(caller: Caller, lab: Lab) -> dict[str, Finding]:
    """Return the finding about calls too many, if Egnyte refused one."""
    for response in caller.refusals:
        if not isinstance(from_response(response, 'GET'), QuotaExceeded):
            holds = response.status_code == 429 and 'Retry-After' in response.headers
            fits = 'mashery' if 'X-Mashery-Error-Code' in response.headers else ''
            return {'limits.refusal': lab.finding('limits.refusal', holds, response, fits=fits)}
    return {}
