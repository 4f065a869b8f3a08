"""JSON, for programs."""

import json as jsonlib

from ..model import Report, Result


def json(report: Report) -> str:
    """Return ``{"endpoint", "profile", "checks": [...]}``."""
    value = {
        'endpoint': report.endpoint,
        'profile': report.profile.value,
        'checks': [_entry(result) for result in report.results],
    }
    return jsonlib.dumps(value, indent=2) + '\n'


def _entry(result: Result) -> dict[str, object]:
    check = result.check
    return {
        'id': check.id,
        'title': check.title,
        'level': check.level.value,
        'outcome': result.outcome.value,
        'expected': check.expected,
        'got': result.got,
        'reference': check.reference,
        'seconds': round(result.seconds, 3),
    }
