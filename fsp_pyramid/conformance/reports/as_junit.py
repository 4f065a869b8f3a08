"""JUnit XML, for CI servers. A warning is a test that passes, with its words in ``system-out``."""

import xml.etree.ElementTree as ET
from itertools import groupby

from ..model import Outcome, Report, Result


def junit(report: Report) -> str:
    """Return one test suite for each group."""
    root = ET.Element('testsuites', {'name': f'fsp-check {report.endpoint}', **_counts(report.results)})
    for group, results in groupby(report.results, lambda result: result.check.group):
        members = list(results)
        suite = ET.SubElement(root, 'testsuite', {'name': group, **_counts(members)})
        for result in members:
            _add(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding='unicode', xml_declaration=True) + '\n'


def _counts(results: list[Result]) -> dict[str, str]:
    return {
        'tests': str(len(results)),
        'failures': str(sum(result.outcome is Outcome.FAIL for result in results)),
        'errors': '0',
        'skipped': str(sum(result.outcome is Outcome.SKIP for result in results)),
        'time': f'{sum(result.seconds for result in results):.3f}',
    }


def _add(suite: ET.Element, result: Result) -> None:
    check = result.check
    case = ET.SubElement(
        suite, 'testcase', classname=f'fsp-check.{check.group}', name=check.id, time=f'{result.seconds:.3f}'
    )
    text = f'{check.title} ({check.level}). Expected: {check.expected}. Got: {result.got}. See: {check.reference}.'
    match result.outcome:
        case Outcome.FAIL:
            ET.SubElement(case, 'failure', message=f'expected {check.expected}, got {result.got}').text = text
        case Outcome.SKIP:
            ET.SubElement(case, 'skipped', message=result.got)
        case Outcome.WARN:
            ET.SubElement(case, 'system-out').text = f'Warning: {text}'
