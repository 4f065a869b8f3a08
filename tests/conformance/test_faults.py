"""Each check finds the fault that is meant for it."""

from typing import Any

import pytest

from fsp_pyramid.conformance import Outcome, checks, run

from .conftest import options
from .faults import FAULTS
from .provider import Provider, Server


@pytest.mark.parametrize('id_', FAULTS)
def test_planted_fault_is_found(id_: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[id_]
    more: dict[str, Any] = dict(getattr(fault, 'options', {}))
    if not more.pop('local', True):
        monkeypatch.setattr('fsp_pyramid.conformance.sources.is_loopback', lambda _url: False)
    base_url = server.serve(Provider(fault)) + more.pop('slash', '')
    report = run(options(base_url, **more), ids=[id_])
    results = {result.check.id: result for result in report.results}
    found = results[id_]
    assert found.outcome is (Outcome.FAIL if found.check.level == 'must' else Outcome.WARN), found
    assert 'cannot be judged' not in found.got
    assert [
        other for other in results.values() if other.check.id in found.check.needs and other.outcome != 'pass'
    ] == []


def test_every_check_has_a_fault() -> None:
    assert list(FAULTS) == list(checks())
