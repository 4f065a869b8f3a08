"""Whole runs: what they ask, what they leave behind, and what they say."""

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsp_pyramid.conformance import GROUPS, Outcome, Profile, Result, checks, run
from fsp_pyramid.conformance.engine import estimate
from fsp_pyramid.conformance.reports import FORMATS, summary
from fsp_pyramid.scripts.check import main

from ..functional.processes import BIN, environment
from ..timing import PATIENCE
from .conftest import options
from .faults import FAULTS, LIST, UPLOAD, Planted, both, error, fails, instead, items
from .provider import BASE, PASSWORD, USER, Answer, Call, Provider, Server, success

FRESH = ['/', '/archive/', '/shared/', '/shared/logo.png']


def command(url: str, *arguments: str) -> int:
    return main([url, '--username', USER, '--password', PASSWORD, '--timeout', '60', *arguments])


def untouched(provider: Provider) -> bool:
    return all(sorted(tree) == FRESH for tree in provider.trees.values())


def outcomes(report: Any, outcome: Outcome) -> list[str]:
    return [result.check.id for result in report.of(outcome)]


def test_there_are_enough_checks() -> None:
    table = checks()
    assert len(table) >= 100
    assert {check.group for check in table.values()} == set(GROUPS)
    assert [check.id for check in table.values() if not (check.title and check.expected and check.reference)] == []


@pytest.mark.parametrize('profile', Profile)
def test_right_provider_passes(server: Server, profile: Profile) -> None:
    base_url = server.serve(provider := Provider())
    report = run(asked := options(base_url, profile=profile))
    assert outcomes(report, Outcome.FAIL) + outcomes(report, Outcome.WARN) == []
    assert outcomes(report, Outcome.SKIP) == ['transport.https', 'public.https']
    assert (report.status, report.left) == (0, [])
    count, requests = estimate(asked)
    assert len(report.results) == count
    assert 0.8 * requests < report.requests <= requests
    assert untouched(provider)
    writes = {path for method, path in provider.calls if method not in {'GET', 'HEAD'}}
    assert writes
    assert all(path.startswith(f'{BASE}/fsp-check-') for path in writes)
    moves = [path for method, path in provider.calls if method == 'PATCH']
    assert bool(moves) is (profile is Profile.CURRENT)


def test_read_only_changes_nothing(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    base_url = server.serve(provider := Provider())
    assert command(base_url, '--read-only') == 0
    assert {method for method, _ in provider.calls} == {'GET', 'HEAD'}
    assert untouched(provider)
    assert '0 fail' in capsys.readouterr().out
    report = run(asked := options(base_url, read_only=True))
    assert len(report.results) > 60
    assert report.requests <= estimate(asked)[1] < estimate(options(base_url))[1]


@pytest.mark.parametrize('group', GROUPS)
def test_one_group_makes_fewer_requests(server: Server, group: str) -> None:
    base_url = server.serve(provider := Provider())
    report = run(asked := options(base_url, only=(group,)))
    assert (report.status, untouched(provider)) == (0, True)
    assert {result.check.id for result in report.results} >= {
        id_ for id_, check in checks().items() if check.group == group
    }
    assert report.requests <= estimate(asked)[1]


def test_own_directory_lies_in_the_given_one(server: Server) -> None:
    base_url = server.serve(provider := Provider())
    report = run(options(base_url, directory='/shared/'))
    assert (report.status, untouched(provider)) == (0, True)
    writes = {path for method, path in provider.calls if method not in {'GET', 'HEAD'}}
    assert all(path.startswith(f'{BASE}/shared/fsp-check-') for path in writes)
    assert {id_ for id_ in outcomes(report, Outcome.SKIP) if id_.startswith('isolation')} != set()


def test_given_source_is_used(server: Server) -> None:
    sources: list[str] = []
    watch = Planted(on_call=lambda _provider, call: sources.append(call.body.decode()) if UPLOAD(call) else None)
    base_url = server.serve(provider := Provider(watch))
    (logo,) = (meta for meta in [provider.tree(call_of('fsp-check'))['/shared/logo.png']] if meta)
    url = f'{server.root}/public/{logo.id}/logo.png'
    report = run(options(base_url, source=url))
    assert outcomes(report, Outcome.FAIL) == []
    assert sum(url in source for source in sources) > 50
    assert 'upload.text' in outcomes(report, Outcome.SKIP)  # it has no text file to offer


def test_picture_of_the_provider_is_a_source(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.conformance.sources.is_loopback', lambda _url: False)
    base_url = server.serve(Provider())
    report = run(options(base_url))
    assert outcomes(report, Outcome.FAIL) == ['transport.https']
    assert any(result.check.id == 'upload.file' and result.outcome is Outcome.PASS for result in report.results)


def test_lack_of_sources_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.conformance.sources.is_loopback', lambda _url: False)
    base_url = server.serve(Provider(items(LIST, lambda items: [item for item in items if 'public-url' not in item])))
    report = run(options(base_url))
    assert outcomes(report, Outcome.FAIL) == ['transport.https']
    assert '--source' in summary(report)


def call_of(uid: str) -> Call:
    return Call('GET', '/', {'X-BEE-UID': uid}, b'', '')


# Causes


@pytest.mark.parametrize(
    'id_',
    [
        'directories.status',
        'directories.create',
        'upload.status',
        'upload.file',
        'metadata.file-size',
        'metadata.public-url',
        'authentication.wrong-password',
        'public.works',
        'delete.file',
        'move.file',
        'listing.envelope',
        'listing.data',
        'errors.json',
    ],
)
def test_fault_is_told_at_its_cause_only(id_: str, server: Server) -> None:
    base_url = server.serve(Provider(FAULTS[id_]))
    report = run(options(base_url))
    assert outcomes(report, Outcome.FAIL) + outcomes(report, Outcome.WARN) == [id_]


class SampleProvider(Provider):
    """Beefree's sample provider, as far as it differs from Beefree's page."""

    def check(self, call: Call) -> None:
        call.headers['AUTHORIZATION'] = ''

    def get_directory(self, call: Call, tree: dict[str, Any]) -> Answer:
        if call.path not in tree:
            raise error(500, 3001)
        answer = super().get_directory(call, tree)
        return success(answer.value['data']['items'])

    def post_directory(self, call: Call, tree: dict[str, Any]) -> Answer:
        return success(super().post_directory(call, tree).value['data'])

    def place(self, tree: dict[str, Any], path: str, strategy: str) -> str:
        if path in tree and strategy == 'ask':
            raise Answer(200, {'code': 3400, 'message': 'Conflict'})
        return super().place(tree, path, strategy)

    def post_file(self, call: Call, tree: dict[str, Any]) -> Answer:
        return success(super().post_file(call, tree).value['data'])

    def delete_directory(self, call: Call, tree: dict[str, Any]) -> Answer:
        for path in [path for path in tree if path.startswith(call.path)]:
            del tree[path]
        return success(None)

    def meta(self, tree: dict[str, Any], path: str) -> dict[str, Any]:
        meta = super().meta(tree, path)
        return meta | ({'extra': {'can-move': True}} if path.endswith('/') else {'thumbnail': None})


def test_sample_provider_is_told_what_differs(server: Server) -> None:
    base_url = server.serve(provider := SampleProvider())
    report = run(options(base_url))
    assert set(outcomes(report, Outcome.FAIL)) >= {
        'authentication.wrong-password',
        'listing.data',
        'listing.missing',
        'directories.status',
        'upload.status',
        'conflicts.ask',
        'move.conflict',
        'delete.not-empty',
        'metadata.thumbnail',
    }
    assert len(outcomes(report, Outcome.FAIL)) < 20
    assert (report.status, report.left, untouched(provider)) == (1, [], True)


# Cleaning up


@pytest.mark.parametrize('after', [20, 100, 200])
def test_interruption_cleans_up(server: Server, after: int) -> None:
    base_url, seen = server.serve(provider := Provider()), []

    def interrupt(result: Result) -> None:
        seen.append(result)
        if len(seen) == after:
            raise KeyboardInterrupt

    report = run(asked := options(base_url), interrupt)
    assert (report.status, report.interrupted, report.left) == (2, True, [])
    assert untouched(provider)
    assert len(report.results) == estimate(asked)[0]
    assert 'Interrupted' in summary(report)


def test_signal_cleans_up(server: Server, tmp_path: Path) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def stop(_provider: Provider, call: Call) -> None:
        if UPLOAD(call):
            os.kill(processes[0].pid, signal.SIGTERM)

    base_url = server.serve(provider := Provider(Planted(on_call=stop)))
    words = [BIN / 'python', '-W', 'ignore', '-m', 'fsp_pyramid.scripts.check', base_url, '--username', USER]
    with open(tmp_path / 'log', 'wb') as log:
        script = 'import sys; from fsp_pyramid.scripts.check import main; sys.exit(main())'
        words[3:5] = ['-c', script]
        processes.append(subprocess.Popen(words, env=environment(FSP_CHECK_PASSWORD=PASSWORD), stdout=log, stderr=log))
        assert processes[0].wait(PATIENCE) == 2
    assert 'Interrupted' in (tmp_path / 'log').read_text()
    assert untouched(provider)


def test_what_is_left_is_said(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    refuse = instead(lambda call: call.method == 'DELETE', error(403, 3300))
    base_url = server.serve(provider := Provider(refuse))
    assert command(base_url, '--only', 'upload') == 0
    (scratch,) = (
        path
        for path in provider.trees['fsp-check']
        if path.count('/') == 2 and path.startswith('/fsp-check') and path.endswith('/')
    )
    assert f'{scratch} could not be removed' in capsys.readouterr().out


def test_cleaning_up_does_not_need_a_listing(server: Server) -> None:
    base_url = server.serve(provider := Provider(items(LIST, lambda _items: [])))
    report = run(options(base_url))
    assert (report.left, untouched(provider)) == ([], True)


def test_listings_do_not_lead_out_of_the_directory(server: Server) -> None:
    """A provider lists its own directories in ours, and would delete what the names lead to."""
    strange = [
        {'name': name, 'path': '/shared/', 'mime-type': 'application/directory'}
        for name in ('..', '../shared', '.', '')
    ]
    lists = items(both(LIST, lambda call: 'fsp-check-' in call.path), lambda items: strange + items)
    base_url = server.serve(provider := Provider(lists))
    run(options(base_url))
    assert untouched(provider)
    writes = {path for method, path in provider.calls if method not in {'GET', 'HEAD'}}
    assert all(path.startswith(f'{BASE}/fsp-check-') and '..' not in path for path in writes)


def test_provider_that_is_none_is_sent_nothing_to_store(server: Server) -> None:
    base_url = server.serve(provider := Provider(fails(lambda _call: True)))
    assert run(options(base_url)).left == []
    assert {method for method, _ in provider.calls} <= {'GET', 'HEAD'}


def test_provider_that_stops_answering_is_given_up(server: Server) -> None:
    def cut(provider: Provider, _call: Call) -> None:
        if any(method == 'POST' for method, _ in provider.calls[:-1]):
            raise ConnectionAbortedError

    base_url = server.serve(Provider(Planted(on_call=cut)))
    report = run(options(base_url))
    assert 'did not answer 3 requests in a row' in summary(report)
    assert report.requests < 40
    assert report.status == 2
    assert summary(report).endswith('The provider stopped answering: the checks are not complete.')


@pytest.mark.parametrize('last', [1, 2, 3])
def test_provider_that_stops_answering_near_the_end_is_reported(server: Server, last: int) -> None:
    base_url = server.serve(provider := Provider())
    only = {'read_only': True, 'only': ('names',)}
    run(options(base_url, **only))
    whole = len(provider.calls)

    def cut(provider: Provider, _call: Call) -> None:
        if len(provider.calls) > whole - last:
            raise ConnectionAbortedError

    base_url = server.serve(Provider(Planted(on_call=cut)))
    report = run(options(base_url, **only))
    assert (report.status, report.stopped_answering) == (2, True)


def test_one_unanswered_request_does_not_end_the_run(server: Server) -> None:
    """The provider cuts the last request of the run, and answers others."""

    def cut(_provider: Provider, call: Call) -> None:
        if call.query:
            raise ConnectionAbortedError

    base_url = server.serve(Provider(Planted(on_call=cut)))
    report = run(options(base_url), ids=['transport.query'])
    assert outcomes(report, Outcome.WARN) == ['transport.query']
    assert (report.status, report.stopped_answering) == (0, False)


def test_wrong_directory_is_reported_as_a_wrong_option(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    base_url = server.serve(provider := Provider())
    assert command(base_url, '--directory', '/nope/') == 2
    printed = capsys.readouterr().out
    assert '--directory /nope/ cannot be listed: 404, code 3200: Not found - Something is wrong' in printed
    assert '0 fail' in printed
    assert {method for method, _ in provider.calls} <= {'GET', 'HEAD'}


@pytest.mark.parametrize('directory', ['/', '/shared/'])
def test_read_only_directory_is_reported_as_a_wrong_option(server: Server, directory: str) -> None:
    def protect(meta: dict[str, Any]) -> None:
        if meta['path'] == directory:
            meta['permissions'] = 'ro'

    base_url = server.serve(provider := Provider(Planted(on_meta=protect)))
    report = run(options(base_url, directory=directory))
    assert (report.status, outcomes(report, Outcome.FAIL)) == (2, [])
    assert f'{directory} is read-only: name a writable directory with --directory' in summary(report)
    assert {method for method, _ in provider.calls} <= {'GET', 'HEAD'}


def test_error_is_reported_with_the_details_of_the_provider(server: Server) -> None:
    refusal = error(403, 3300)
    refusal.value['details'] = 'Quota of https://files.example/secret is used up'
    base_url = server.serve(Provider(instead(lambda call: call.method == 'POST', refusal)))
    (fail,) = run(options(base_url, only=('directories',))).of(Outcome.FAIL)
    assert fail.got == '403, code 3300: Forbidden - Quota of (URL) is used up'


# The command


def test_announcement_comes_first(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(server.serve(Provider()), '--only', 'transport,listing', '--only', 'errors') == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert 'requests at the most' in first
    assert last == 'All documented rules hold.'


@pytest.mark.parametrize(('id_', 'status'), [('listing.status', 1), ('errors.details', 0)])
def test_exit_status(server: Server, id_: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(server.serve(Provider(FAULTS[id_])), '--read-only') == status
    assert id_ in capsys.readouterr().out


@pytest.mark.parametrize(
    'arguments',
    [
        ('ftp://127.0.0.1/',),
        ('http://127.0.0.1:99999/',),
        ('http://[/',),
        ('http://127.0.0.1/', '--only', 'nothing'),
        ('http://127.0.0.1/', '--report', 'report.pdf'),
        ('http://127.0.0.1/', '--report', '/nowhere/report.json'),
        ('http://127.0.0.1/', '--timeout', '0'),
        ('http://127.0.0.1/', '--timeout', 'nan'),
        ('http://127.0.0.1/', '--profile', 'other'),
        ('http://127.0.0.1/', '--directory', '/a/../b/'),
        ('http://127.0.0.1/', '--ca-file', '/nowhere/ca.pem'),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command(*arguments)
    assert caught.value.code == 2
    assert 'error: argument' in capsys.readouterr().err


def test_password_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv('FSP_CHECK_PASSWORD', raising=False)
    with pytest.raises(SystemExit) as caught:
        main(['http://127.0.0.1:1/', '--username', USER])
    assert caught.value.code == 2
    assert 'FSP_CHECK_PASSWORD' in capsys.readouterr().err


def test_password_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FSP_CHECK_PASSWORD', PASSWORD)
    assert main([server.serve(Provider()), '--username', USER, '--only', 'transport']) == 0


# Reports


@pytest.fixture
def reports(server: Server, tmp_path: Path) -> Callable[[str], str]:
    paths = [tmp_path / f'report{suffix}' for suffix in FORMATS]
    arguments = [word for path in paths for word in ('--report', str(path))]
    base_url = server.serve(Provider(FAULTS['errors.secrets']))
    assert command(base_url, '--read-only', *arguments) == 1
    return lambda suffix: (tmp_path / f'report{suffix}').read_text()


def test_json_report_has_its_shape(reports: Callable[[str], str], server: Server) -> None:
    report = json.loads(reports('.json'))
    assert list(report) == ['endpoint', 'profile', 'checks']
    assert (report['endpoint'], report['profile']) == (server.root + BASE, 'current')
    fields = ['id', 'title', 'level', 'outcome', 'expected', 'got', 'reference', 'seconds']
    assert all(list(check) == fields for check in report['checks'])
    assert [check['id'] for check in report['checks'] if check['outcome'] == 'fail'] == ['errors.secrets']
    assert all(type(check['seconds']) is float for check in report['checks'])


def test_junit_report_can_be_read(reports: Callable[[str], str]) -> None:
    root = ET.fromstring(reports('.xml'))
    assert root.get('failures') == '1'
    assert int(root.get('tests', 0)) == len(root.findall('./testsuite/testcase'))
    (failure,) = root.findall('./testsuite/testcase[failure]')
    assert failure.get('name') == 'errors.secrets'
    assert len(root.findall('.//skipped')) == int(root.get('skipped', 0))


def test_html_report_is_self_contained(reports: Callable[[str], str]) -> None:
    page = reports('.html')
    assert page.startswith('<!doctype html>')
    assert not any(word in page for word in ('<script', '<link', 'src=', 'url(', '@import'))
    assert '@media print' in page
    assert 'errors.secrets' in page


def test_reports_hold_no_password(reports: Callable[[str], str]) -> None:
    assert PASSWORD not in ''.join(map(reports, FORMATS))


def test_html_is_escaped(server: Server) -> None:
    base_url = server.serve(Provider(FAULTS['metadata.root-name']))
    page = FORMATS['.html'](run(options(f'{base_url}/<b>', only=('transport',))))
    assert '<b>' not in page


def test_worst_comes_first(server: Server) -> None:
    def after(provider: Provider, call: Call, answer: Answer) -> None:
        for id_ in ('authentication.challenge', 'errors.method-allow', 'upload.status'):
            FAULTS[id_].after(provider, call, answer)

    lines = summary(run(options(server.serve(Provider(Planted(on_answer=after)))))).splitlines()
    assert [line.split(':')[0] for line in lines if line.startswith(('MUST', 'SHOULD', 'MAY'))] == [
        'MUST   upload.status',
        'SHOULD authentication.challenge',
        'MAY    errors.method-allow',
    ]
