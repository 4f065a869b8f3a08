"""The page Status: checks, calls to Egnyte, and the requests of the last hours."""

import os
import platform
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as version_of
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from ..diagnosis import Installation, Level, Options, Result, diagnose, worst_first
from ..i18n import Duration
from ..interfaces import IConsole
from ..settings import Settings
from .activity import HOURS
from .checks import run_checks
from .rendering import render

ROUTE = 'fsp_console_status'
SHOWN = 100


def show(_context: Any, request: Request) -> Response:
    """Show the page; with a support id, only its request. The diagnosis is made on demand: it may take seconds."""
    console, support_id = request.registry.getUtility(IConsole), request.GET.get('support_id', '').strip()
    hours = console.activity.hours()
    now = datetime.now(UTC).replace(minute=0, second=0)
    lookups = sum(hour.lookups for hour in hours)
    return render(
        request,
        'status',
        checks=run_checks(request, console.readiness),
        diagnosis=_diagnosis(request) if 'diagnosis' in request.GET else None,
        accounts=console.activity.accounts(),
        first_hour=now - timedelta(hours=HOURS - 1),
        last_hour=now,
        duration=Duration,
        moment=datetime.fromisoformat,
        calls=sum(hour.calls for hour in hours),
        waited=sum(hour.waited for hour in hours),
        hits=round(100 * sum(hour.hits for hour in hours) / lookups) if lookups else None,
        lookups=lookups,
        requests=console.history.latest(SHOWN, support_id),
        support_id=support_id,
        shown=SHOWN,
        versions=_versions(),
        shares_state=_shares_state(console.settings),
    )


def _diagnosis(request: Request) -> list[Result]:
    """Return the results of the doctor's checks without calls to Egnyte, those that were made, the worst first."""
    installation = Installation.of(request.registry, os.environ, request=request)
    results = diagnose(installation, Options(with_egnyte=False))
    return worst_first(result for result in results if result.level is not Level.SKIPPED)


def _versions() -> dict[str, str]:
    packages = ('fsp-pyramid', 'pyramid', 'Pillow', 'requests', 'urllib3')
    return {'Python': platform.python_version()} | {name: version_of(name) for name in packages}


def _shares_state(settings: Settings) -> bool:
    """Return whether other processes may answer requests that this one does not know of."""
    return settings.pace.backend != 'memory' or settings.cache.backend != 'memory'
