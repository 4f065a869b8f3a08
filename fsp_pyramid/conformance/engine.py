"""Engine: make the checks in order, skip those whose needs do not hold, clean up whatever happens."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from . import sources
from .cleanup import clean_up
from .context import SHARED_READING, SHARED_WRITING, Context
from .http import Client
from .model import Check, Level, Options, Outcome, Report, Result, Skip, TransportError, Unmet, Unusable
from .registry import GROUPS, select
from .text import clean

# After so many requests in a row without an answer the provider counts as gone.
_SILENT = 3
_ANSWERS = 'transport.answers'
Progress = Callable[[Result], None]


def estimate(options: Options, ids: Sequence[str] = ()) -> tuple[int, int]:
    """Return how many checks a run makes, and how many requests at the most."""
    checks = select(options, ids)
    common = SHARED_WRITING + SHARED_READING if any(check.changes for check in checks) else SHARED_READING
    return len(checks), sum(check.cost for check in checks) + common


def run(options: Options, progress: Progress = lambda _result: None, ids: Sequence[str] = ()) -> Report:
    """Check a provider and return the report. Nothing that a provider answers raises an exception.

    :param progress: is called after each check
    :param ids: checks to make, with those that they need, instead of the groups of *options*
    """
    report = Report(options.base_url, options.profile)
    checks = select(options, ids)
    with ExitStack() as stack:
        is_local = sources.is_loopback(options.base_url)
        client = Client(options, trust_env=not is_local)
        stack.callback(client.close)
        served = is_local and not options.source and not options.read_only
        server = stack.enter_context(sources.serving()) if served else None
        context = Context(client, options, server)
        try:
            _make(checks, context, report, progress)
            report.stopped_answering = _stopped_answering(context, report)
        except KeyboardInterrupt:
            report.interrupted = True
        except Unusable as error:
            report.unusable = _safe(str(error), options)
        report.left = _cleaned(context, report)
        report.requests = client.sent
    done = {result.check.id for result in report.results}
    reason = report.unusable or 'interrupted'
    report.results += [_skipped(check, reason) for check in checks if check.id not in done]
    order = {check.id: number for number, check in enumerate(_in_groups(checks))}
    report.results.sort(key=lambda result: order[result.check.id])
    return report


def _make(checks: Sequence[Check], context: Context, report: Report, progress: Progress) -> None:
    by_id: dict[str, Result] = {}
    for check in checks:
        result = by_id[check.id] = _result(check, by_id, context, report)
        report.results.append(result)
        progress(result)


def _stopped_answering(context: Context, report: Report) -> bool:
    """Return whether the provider, which has answered before, does not answer any more."""
    answered = any(result.check.id == _ANSWERS and result.outcome is Outcome.PASS for result in report.results)
    if report.unreachable or not answered or not context.client.silent:
        return False
    if context.client.silent >= _SILENT:
        return True
    try:  # the last requests may be ones that it does not answer, or the first ones after its end
        context.get('/')
    except TransportError:
        return True
    return False


def _safe(text: str, options: Options) -> str:
    return clean(text.replace(options.password, '***') if options.password else text)


def _cleaned(context: Context, report: Report) -> list[str]:
    try:
        return clean_up(context)
    except KeyboardInterrupt:  # the second one
        report.interrupted = True
    except Exception:  # noqa: BLE001, S110 - what a provider sends may be anything
        pass
    return [context.scratch]


def _in_groups(checks: Sequence[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: GROUPS.index(check.group))


def _result(check: Check, by_id: dict[str, Result], context: Context, report: Report) -> Result:
    for need in check.needs:
        if by_id[need].outcome in {Outcome.FAIL, Outcome.WARN}:
            return _skipped(check, f'needs {need}, which does not hold')
        if by_id[need].outcome is Outcome.SKIP:
            cause = by_id[need].got
            return _skipped(check, cause if cause.startswith('needs ') else f'needs {need}: {cause}')
    if context.client.silent >= _SILENT:
        return _skipped(check, f'the provider did not answer {_SILENT} requests in a row')
    began = time.monotonic()
    outcome, got = _judge(check, context, report)
    return Result(check, outcome, _safe(got, context.options), time.monotonic() - began)


def _judge(check: Check, context: Context, report: Report) -> tuple[Outcome, str]:
    bad = Outcome.FAIL if check.level is Level.MUST else Outcome.WARN
    try:
        check.function(context)
    except Unusable:
        raise
    except Skip as skip:
        return Outcome.SKIP, str(skip)
    except Unmet as unmet:
        return bad, str(unmet)
    except TransportError as error:
        report.unreachable |= error.unreachable and not any(r.outcome is Outcome.PASS for r in report.results)
        return bad, str(error)
    except Exception as error:  # noqa: BLE001 - what a provider sends may be anything
        return bad, f'the answer has a shape that cannot be judged ({type(error).__name__})'
    return Outcome.PASS, 'as expected'


def _skipped(check: Check, reason: str) -> Result:
    return Result(check, Outcome.SKIP, reason, 0.0)
