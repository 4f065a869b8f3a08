"""Report of a run for a terminal, and as JSON for a bug report."""

from typing import Any

from .engine import Report
from .model import Finding, Outcome
from .table import BY_ID

ORDER = (Outcome.DIFFERENT, Outcome.NOT_TRIED, Outcome.CONFIRMED)
LABELS = {Outcome.DIFFERENT: 'DIFFERENT', Outcome.NOT_TRIED: 'not tried', Outcome.CONFIRMED: 'confirmed'}


def as_text(report: Report) -> str:
    """Return the findings in lines: what is different first."""
    lines = [
        line
        for outcome in ORDER
        for finding in report.findings
        if finding.outcome is outcome
        for line in _lines(finding)
    ]
    counts = ', '.join(
        f'{sum(finding.outcome is outcome for finding in report.findings)} {LABELS[outcome].lower()}'
        for outcome in ORDER
    )
    if report.left:
        lines.append(f'LEFT      {report.left} could not be removed: delete it by hand')
    if report.interrupted:
        lines.append('Interrupted: the rest was not tried.')
    return '\n'.join([*lines, f'{len(report.findings)} assumptions ({counts}), {report.calls} calls.'])


def _lines(finding: Finding) -> list[str]:
    assumption = BY_ID[finding.id]
    lines = [f'{LABELS[finding.outcome]:9} {finding.id:22} {assumption.statement}: {finding.got}']
    if finding.outcome is Outcome.DIFFERENT:
        lines.append(f'          we rely on: {assumption.status} ({assumption.source})')
        if finding.status:
            headers = ', '.join(f'{name}: {value}' for name, value in finding.headers.items())
            lines += [f'          status {finding.status}, body {finding.body}', f'          headers {headers}']
        if finding.fits:
            lines.append(f'          switch of the sandbox: {assumption.switch}={finding.fits}')
        if assumption.remedy:
            lines.append(f'          do: {assumption.remedy}')
    return lines


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as an object. The path of a folder that is left is not in it."""
    return {
        'calls': report.calls,
        'interrupted': report.interrupted,
        'removed': not report.left,
        'assumptions': [_fields(finding) for finding in report.findings],
    }


def _fields(finding: Finding) -> dict[str, Any]:
    assumption = BY_ID[finding.id]
    return {
        'id': finding.id,
        'statement': assumption.statement,
        'basis': assumption.status,
        'source': assumption.source,
        'outcome': finding.outcome,
        'got': finding.got,
        'status': finding.status,
        'headers': finding.headers,
        'body': finding.body,
        'switch': f'{assumption.switch}={finding.fits}' if finding.fits else '',
        'remedy': assumption.remedy if finding.outcome is Outcome.DIFFERENT else '',
    }
