"""One self-contained HTML page, for people and for paper."""

from html import escape
from itertools import groupby

from ..model import Outcome, Report, Result
from .as_text import verdict, worst_first

_WORDS = {Outcome.PASS: 'pass', Outcome.FAIL: 'fail', Outcome.WARN: 'warning', Outcome.SKIP: 'skipped'}
_STYLE = """
:root { --ink: #1d2733; --soft: #5d6b7a; --line: #dfe5eb; --paper: #fff; --ground: #f4f6f8;
  --pass: #1a7f4b; --fail: #c22f2f; --warn: #a86200; --skip: #6b7785; color-scheme: light dark }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e7ebef; --soft: #a9b4bf; --line: #39424c; --paper: #1d232a; --ground: #14181d;
    --pass: #6fcf8e; --fail: #f2867d; --warn: #f2c46d; --skip: #a9b4bf } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -.01em }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
h2::first-letter { text-transform: uppercase }
.endpoint { color: var(--soft); overflow-wrap: anywhere; margin: .2rem 0 1.4rem }
.verdict { background: var(--paper); border: 1px solid var(--line); border-left: 6px solid; border-radius: 8px;
  padding: 1rem 1.25rem; font-size: 1.15rem; font-weight: 600 }
.counts { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; margin: .75rem 0 0; padding: 0;
  list-style: none }
.counts li { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: .6rem 1rem; color: var(--soft) }
.counts b { display: block; font-size: 1.6rem; line-height: 1.2 }
.bar { display: flex; height: 10px; border-radius: 5px; overflow: hidden; margin: .75rem 0 0; background: var(--line) }
.bar i { display: block; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.pass { color: var(--pass) } .fail { color: var(--fail) } .warn { color: var(--warn) } .skip { color: var(--skip) }
article { background: var(--paper); border: 1px solid var(--line); border-left: 4px solid; border-radius: 8px;
  padding: .8rem 1.1rem; margin: .6rem 0; break-inside: avoid }
article h3 { margin: 0; font-size: 1rem; color: var(--ink) }
dl { display: grid; grid-template-columns: 6rem 1fr; gap: .1rem .75rem; margin: .4rem 0 0; color: var(--ink) }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
code { font: .85em ui-monospace, "DejaVu Sans Mono", monospace; color: var(--soft) }
table { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line);
  table-layout: fixed }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-top: 1px solid var(--line);
  overflow-wrap: anywhere }
th { font-size: .8rem; color: var(--soft); font-weight: 600 }
tr { break-inside: avoid }
.o { width: 6rem; font-weight: 600 } .l { width: 5rem } .g { width: 34% }
@media screen and (max-width: 40rem) {
  .counts { grid-template-columns: repeat(2, 1fr) }
  table, tbody { display: block } thead { display: none }
  tr { display: grid; grid-template-columns: auto 1fr; border-top: 1px solid var(--line); padding: .4rem .7rem }
  tr:first-child { border-top: 0 }
  td { border: 0; padding: 0 } td:nth-child(n + 3) { grid-column: 1 / -1 }
  .o, .l, .g { width: auto } td.l, td.g { color: var(--soft) } td.l { padding-left: .7rem } }
@media print {
  body { background: none; font-size: 10pt } main { max-width: none; padding: 0 } h2 { break-after: avoid } }
"""


def html(report: Report) -> str:
    """Return the page."""
    title = f'fsp-check: {report.endpoint}'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>'
        f'{_head(report)}{_problems(report)}{_left(report)}{_groups(report)}</main></body></html>\n'
    )


def _head(report: Report) -> str:
    tone = {0: 'warn' if report.of(Outcome.WARN) else 'pass'}.get(report.status, 'fail')
    order = (Outcome.FAIL, Outcome.WARN, Outcome.PASS, Outcome.SKIP)
    counts = ''.join(
        f'<li><b class="{outcome}">{len(report.of(outcome))}</b>{_WORDS[outcome]}</li>' for outcome in order
    )
    total = max(1, len(report.results))
    bar = ''.join(
        f'<i class="{outcome}" style="width:{100 * len(report.of(outcome)) / total:.2f}%"></i>' for outcome in order
    )
    return (
        '<h1>Beefree file system provider: conformance</h1>'
        f'<p class="endpoint">{escape(report.endpoint)} &middot; profile {report.profile} &middot; '
        f'{len(report.results)} checks, {report.requests} requests</p>'
        f'<div class="verdict {tone}">{escape(verdict(report))}</div><ul class="counts">{counts}</ul>'
        f'<div class="bar">{bar}</div>'
    )


def _problems(report: Report) -> str:
    bad = worst_first(report)
    return '<h2>What to mend, worst first</h2>' + ''.join(map(_problem, bad)) if bad else ''


def _problem(result: Result) -> str:
    check = result.check
    return (
        f'<article class="{result.outcome}"><h3>{escape(check.title)} '
        f'<code>{check.level}, {escape(check.id)}</code></h3><dl>'
        f'<dt>Expected</dt><dd>{escape(check.expected)}</dd><dt>Got</dt><dd>{escape(result.got)}</dd>'
        f'<dt>See</dt><dd>{escape(check.reference)}</dd></dl></article>'
    )


def _left(report: Report) -> str:
    paths = ''.join(f'<article class="fail"><h3>{escape(path)}</h3></article>' for path in report.left)
    return f'<h2>Left behind: delete it by hand</h2>{paths}' if paths else ''


def _groups(report: Report) -> str:
    parts = []
    for group, results in groupby(report.results, lambda result: result.check.group):
        rows = ''.join(map(_row, results))
        head = '<tr><th class="o">Outcome</th><th class="l">Level</th><th>Check</th><th class="g">Got</th></tr>'
        parts.append(f'<h2>{escape(group)}</h2><table><thead>{head}</thead><tbody>{rows}</tbody></table>')
    return ''.join(parts)


def _row(result: Result) -> str:
    check = result.check
    return (
        f'<tr><td class="o {result.outcome}">{_WORDS[result.outcome]}</td><td class="l">{check.level}</td>'
        f'<td>{escape(check.title)}<br><code>{escape(check.id)}</code></td><td class="g">{escape(result.got)}</td></tr>'
    )
