"""Experiments that settle assumptions about Egnyte: each switch of the sandbox is noticed."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.diagnosis.assumptions import ASSUMPTIONS, Finding, Outcome, Report, calls_needed, run
from fsp_pyramid.diagnosis.assumptions.engine import UNTRIED
from fsp_pyramid.diagnosis.assumptions.experiments import EXPERIMENTS
from fsp_pyramid.diagnosis.assumptions.masking import Mask
from fsp_pyramid.diagnosis.assumptions.model import NotTried
from fsp_pyramid.diagnosis.assumptions.report import as_json, as_text
from fsp_pyramid.diagnosis.assumptions.table import BY_ID
from fsp_pyramid.diagnosis.calls import Caller
from fsp_pyramid.egnyte import RateLimiter
from fsp_pyramid.sandbox.options import Options
from fsp_pyramid.sandbox.permissions import Level
from fsp_pyramid.testing import Sandbox

from ..permissions import ORDINARY, grant
from ..sandbox.servers import serving

PARENT = '/Shared/hush-parent'
# Limits and delays of the sandbox, which are no assumptions.
NO_ASSUMPTIONS = {'root', 'seed', 'qps', 'daily', 'latency', 'clock'}
# Switch and value, and the assumptions that do not hold then, with the value that is told.
FLIPPED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({'strict_parents': True}, dict.fromkeys(['folders.parents', 'uploads.parents', 'moves.parents'], 'True')),
    ({'case_sensitive': True}, {'names.case': 'True'}),
    ({'normalizing': True}, {'names.unicode': 'True'}),
    ({'files_in_shared': True}, {'uploads.shared': 'True'}),
    ({'empty_uploads': True}, {'uploads.empty': 'True'}),
    ({'exists_status': 409}, {'moves.taken': '409'}),
    ({'bad_name_status': 403}, {'names.characters': '403'}),
    ({'checksum_status': 422}, {'uploads.checksum': '422'}),
    ({'locked_status': 423}, {'locks.other': '423'}),
    ({'chunk_minimum': 1}, {'uploads.chunk': '1024, or less'}),
    ({'trash_for_all': True}, {'trash.access': 'True'}),
]
LIMITS = {'limits.allotted'}

Run = Callable[..., Report]


@pytest.fixture
def probe(tmp_path: Path, sandbox: Sandbox) -> Iterator[Run]:
    """Return a function that runs all experiments as an ordinary user, on a sandbox with some switches.

    It creates the folder above the scratch folder, in which that user may create others.
    """
    with ExitStack() as stack:

        def probe(
            parent: str = PARENT,
            limiter: RateLimiter | None = None,
            token: str = ORDINARY,
            on_finding: Callable[[Finding], None] = lambda _finding: None,
            **switches: Any,
        ) -> Report:
            first = Sandbox(tmp_path / 'egnyte', **switches)  # it creates the database
            first.api('POST', f'/pubapi/v1/fs{PARENT}', json={'action': 'add_folder'})
            grant(tmp_path, PARENT, 'alice', Level.EDITOR)
            first.forget_calls()
            url = stack.enter_context(serving(tmp_path / 'egnyte', **switches))
            limiter = limiter or RateLimiter()
            callers = [stack.enter_context(closing(Caller(url, name, limiter, 30, 60))) for name in (token, 'sandbox')]
            return run(callers[0], parent, callers[1] if token != 'sandbox' else None, on_finding)

        yield probe


def outcomes(report: Report, outcome: Outcome) -> dict[str, str]:
    """Return what was told of the assumptions with *outcome*: the switch, or the reason."""
    return {
        finding.id: finding.got if outcome is Outcome.NOT_TRIED else finding.fits
        for finding in report.findings
        if finding.outcome is outcome
    }


def items(sandbox: Sandbox, path: str) -> list[str]:
    data = sandbox.api('GET', f'/pubapi/v1/fs{path}').json()
    return [item['name'] for kind in ('folders', 'files') for item in data[kind]]


def test_sandbox_is_as_assumed(probe: Run, sandbox: Sandbox) -> None:
    report = probe()
    assert outcomes(report, Outcome.DIFFERENT).keys() == LIMITS, 'the sandbox has no limits'
    not_tried = outcomes(report, Outcome.NOT_TRIED)
    assert not_tried.keys() == {*UNTRIED, 'trash.found', 'trash.restore', 'uploads.shared'}
    assert not_tried['trash.found'] == 'the user may not see the trash (status 403)'
    assert report.calls == len(sandbox.calls) <= calls_needed()
    assert not report.left
    assert items(sandbox, PARENT) == []


def test_administrator_tries_the_trash_and_shared(probe: Run, sandbox: Sandbox) -> None:
    report = probe(parent='/Shared', token='sandbox')
    assert outcomes(report, Outcome.DIFFERENT).keys() == LIMITS
    assert outcomes(report, Outcome.NOT_TRIED).keys() == {*UNTRIED, 'trash.access', 'locks.other'}
    assert items(sandbox, '/Shared') == ['hush-parent']


@pytest.mark.parametrize(('switch', 'expected'), FLIPPED, ids=[next(iter(switch)) for switch, _ in FLIPPED])
def test_switch_of_the_sandbox_is_named(
    probe: Run, tmp_path: Path, switch: dict[str, Any], expected: dict[str, str]
) -> None:
    outside = {'parent': '/Shared', 'token': 'sandbox'} if 'files_in_shared' in switch else {}
    report = probe(**outside, **switch)
    different = outcomes(report, Outcome.DIFFERENT)
    assert {name: fits for name, fits in different.items() if name not in LIMITS} == expected
    for name, fits in expected.items():
        assert BY_ID[name].switch == next(iter(switch))
        assert f'switch of the sandbox: {BY_ID[name].switch}={fits}' in as_text(report)
    sandbox = Sandbox(tmp_path / 'egnyte', **switch)
    assert items(sandbox, PARENT) == []
    assert items(sandbox, '/Shared') == ['hush-parent']


def test_older_refusal_is_named(probe: Run, sandbox: Sandbox) -> None:
    """A rate limiter that does not wait provokes a refusal."""
    report = probe(limiter=RateLimiter(sleep=lambda _seconds: None), qps=1, throttle='mashery')
    assert outcomes(report, Outcome.DIFFERENT) == {'limits.refusal': 'mashery'}
    assert (report.left, items(sandbox, PARENT)) == ('', []), 'creating the folder was refused'


def test_used_up_calls_stop_a_run_and_the_folder_that_is_left_is_named(probe: Run, sandbox: Sandbox) -> None:
    report = probe(daily=20)
    reasons = set(outcomes(report, Outcome.NOT_TRIED).values()) - {*UNTRIED.values()}
    assert 'the calls of this day are used up' in reasons
    assert report.left == f'{PARENT}/{items(sandbox, PARENT)[0]}'
    assert f'LEFT      {report.left} could not be removed: delete it by hand' in as_text(report)
    assert report.left not in str(as_json(report))


def test_interruption_removes_the_folder(probe: Run, sandbox: Sandbox) -> None:
    def interrupt(finding: Finding) -> None:
        if finding.id == 'uploads.version':
            raise KeyboardInterrupt

    report = probe(on_finding=interrupt)
    assert (report.interrupted, report.left, items(sandbox, PARENT)) == (True, '', [])
    assert outcomes(report, Outcome.CONFIRMED).keys() >= {'uploads.answer', 'folders.create'}
    assert outcomes(report, Outcome.NOT_TRIED)['moves.ids'] == 'the run was interrupted'


@pytest.mark.parametrize('fault', [{'status': 500}, {'answer': {'status': 200, 'body': '[1, 2]'}}, {'drop': True}])
def test_failing_egnyte_ends_in_a_report_and_no_folder(probe: Run, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    for path in ('/pubapi/v1/fs-content', '/pubapi/v1/events', '/pubapi/v1/userinfo'):
        sandbox.fail({'path_prefix': path, 'times': 100, **fault})
        report = probe()
        assert len(report.findings) == len(ASSUMPTIONS)
        assert not report.left
    assert items(sandbox, PARENT) == []


def test_missing_parent_is_not_created(probe: Run, sandbox: Sandbox) -> None:
    with pytest.raises(NotTried, match='the folder is not there'):
        probe(parent='/Shared/absent')
    assert len(sandbox.calls) == 1
    assert not sandbox.exists('/Shared/absent')


def test_report_has_no_names(probe: Run) -> None:
    """All kinds of differences at once: none of their bodies and headers names a user, a path, a host or a token."""
    report = probe(
        strict_parents=True, exists_status=409, bad_name_status=403, checksum_status=422, locked_status=423,
        case_sensitive=True, empty_uploads=True, chunk_minimum=1, trash_for_all=True,
    )  # fmt: skip
    text = f'{as_json(report)}{as_text(report)}'
    assert len(outcomes(report, Outcome.DIFFERENT)) > 8
    for word in ('hush', 'alice', 'Adams', 'sandbox-', '127.0.0.1', 'example.com', 'fsp-probe'):
        assert word not in text, word


# The table


def test_each_assumption_has_an_experiment_or_a_reason() -> None:
    tried = [name for experiment in EXPERIMENTS for name in experiment.ids]
    assert len(set(tried)) == len(tried)
    assert {*tried, *UNTRIED} == set(BY_ID)
    assert not {*tried} & {*UNTRIED}


def test_each_switch_of_the_sandbox_has_an_assumption_and_a_test() -> None:
    switches = {field.name for field in dataclasses.fields(Options)} - NO_ASSUMPTIONS
    assert {assumption.switch for assumption in ASSUMPTIONS} - {''} == switches
    tested = {next(iter(switch)) for switch, _ in FLIPPED} | {'throttle'}
    assert switches - tested == {BY_ID[name].switch for name in ('limits.grants', 'identity.refresh')}


# Masking

MASK = Mask({'user': ['jsmith'], 'token': ['t0ken-of-smith'], 'host': ['acme'], 'name': ['Brand']})


@pytest.mark.parametrize(
    ('text', 'masked'),
    [
        ('Folder already exists at this location', 'Folder already exists at this location'),
        ('No access to /Shared/Brand/summer sale.png', 'No access to <path>'),
        ('user JSmith of acme.egnyte.com', 'user <user> of <host>'),
        ('see https://acme.egnyte.com/dl/x', 'see <url>'),
        ('j.smith@acme.com wrote', '<e-mail> wrote'),
        ('id 259931c0-0000-4000-8000-000000000000', 'id <id>'),
        ('t0ken-of-smith is wrong', '<token> is wrong'),
    ],
)
def test_texts_are_masked(text: str, masked: str) -> None:
    assert MASK.text(text) == masked


def test_bodies_are_shown_by_their_shape() -> None:
    shape = MASK.body(
        b'{"errorMessage": "/Shared/x is locked by jsmith", "code": 7, "items": [{"name": "x", "n": null}], "": 1}', ''
    )
    assert shape == '{errorMessage: "<path>", code: integer, items: [{name: text, n: null}, ...], <key>: integer}'
    assert MASK.body(b'', '') == 'empty'
    assert MASK.body(b'<h1>Developer Over Qps</h1>', 'text/html') == 'HTML: Developer Over Qps'
    assert MASK.body(b'secret content', 'text/plain') == '14 bytes of text/plain'


def test_headers_are_shown_by_kind() -> None:
    assert MASK.headers(
        {'ETag': '"8b0c7efa"', 'X-Accesstoken-Qps-Allotted': '2', 'X-Egnyte-Request-Id': 'secret', 'Set-Cookie': 'a=b'}
    ) == {'ETag': 'quoted text', 'X-Accesstoken-Qps-Allotted': '2', 'X-Egnyte-Request-Id': 'text'}
