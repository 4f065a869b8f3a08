"""A fault of a check itself does not end a diagnosis."""

from collections.abc import Iterator

import pytest

from fsp_pyramid.diagnosis import Installation, Result, diagnose, engine, worst_first
from fsp_pyramid.diagnosis.model import failure, ok, skipped, warning

from .conftest import Make


def test_fault_of_a_check_is_a_failure_without_its_text(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def check_it(_installation: Installation) -> Iterator[Result]:
        yield ok('settings.valid', 'fine')
        raise RuntimeError('hush')

    monkeypatch.setattr(engine, 'OFFLINE', (check_it, *engine.OFFLINE[:1]))
    first, second, third, *_ = diagnose(make())
    assert [first.id, third.id] == ['settings.valid'] * 2
    assert (second.id, second.found) == ('diagnosis.error', 'the check "it" ended with RuntimeError')


def test_worst_comes_first_in_the_order_of_the_checks() -> None:
    results = [
        skipped('a', ''),
        ok('b', ''),
        warning('c', '', ''),
        failure('d', '', ''),
        ok('e', ''),
        warning('f', '', ''),
    ]
    assert [result.id for result in worst_first(results)] == list('dcfbea')
