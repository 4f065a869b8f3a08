"""Summary for a terminal: what to do first stands first."""

from collections import Counter

from ..model import Level, Outcome, Report, Result

_LEVELS = list(Level)


def worst_first(report: Report) -> list[Result]:
    """Return what does not hold: *must*, then *should*, then *may*, each in the order of the checks."""
    bad = report.of(Outcome.FAIL) + report.of(Outcome.WARN)
    return sorted(bad, key=lambda result: _LEVELS.index(result.check.level))


def verdict(report: Report) -> str:
    """Return the result in a sentence."""
    if report.interrupted:
        return 'Interrupted: the checks are not complete.'
    if report.unusable:
        return f'The checks are not complete: {report.unusable}.'
    if report.stopped_answering:
        return 'The provider stopped answering: the checks are not complete.'
    if report.unreachable:
        return 'The provider could not be reached.'
    if report.status == 2:
        return 'Nothing could be checked.'
    fails = len(report.of(Outcome.FAIL))
    if fails:
        return f'{fails} documented {"rule does" if fails == 1 else "rules do"} not hold.'
    warnings = len(report.of(Outcome.WARN))
    return 'All documented rules hold' + (f'; {warnings} other{"s" if warnings > 1 else ""} not.' if warnings else '.')


def skips(report: Report) -> list[tuple[str, int]]:
    """Return the reasons for skipped checks with their numbers, most frequent first."""
    return Counter(result.got for result in report.of(Outcome.SKIP)).most_common()


def summary(report: Report) -> str:
    """Return the summary, in lines."""
    lines = []
    for result in worst_first(report):
        check = result.check
        lines += [
            f'{check.level.upper():6} {check.id}: {check.title}',
            f'       expected {check.expected}',
            f'       got      {result.got}',
            f'       see      {check.reference}',
        ]
    lines += [f'{"SKIP":6} {count} x {reason}' for reason, count in skips(report)]
    lines += [f'{"LEFT":6} {path} could not be removed: delete it by hand' for path in report.left]
    counts = ', '.join(f'{len(report.of(outcome))} {outcome}' for outcome in Outcome)
    requests = f'{report.requests} request{"s" * (report.requests != 1)}'
    return '\n'.join([*lines, f'{len(report.results)} checks ({counts}), {requests}.', verdict(report)])
