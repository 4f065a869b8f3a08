"""The end of a run: events of our changes, and the calls that were counted."""

from collections.abc import Iterator

import requests

from ....egnyte.rate_rules import QuotaHeaders
from ..experiment import experiment
from ..lab import Lab, body_of
from ..model import Finding, NotTried, Outcome


@experiment(1, 'events.list', 'limits.counted')
def events(lab: Lab) -> Iterator[Finding]:
    if 'cursor' not in lab.facts:
        raise NotTried('there is no cursor of the beginning')
    response = lab.call('GET', '/pubapi/v1/events', params={'id': lab.facts['cursor'], 'count': 100})
    found = body_of(response).get('events')
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    ids = [int(item['id']) for item in items if str(item.get('id')).isdecimal()]
    ours = any(lab.path in str(item.get('data')) for item in items)
    holds = ids and min(ids) > int(lab.facts['cursor']) and ours
    yield _counted(lab, response)
    yield lab.finding(
        'events.list', holds, response, f'{len(items)} events, {"ours" if ours else "not ours"} among them'
    )


def _counted(lab: Lab, response: requests.Response) -> Finding:
    """Compare the calls that Egnyte counted with those that were made."""
    used = QuotaHeaders.read(response.headers).used
    if used is None or 'used' not in lab.facts:
        return Finding('limits.counted', Outcome.NOT_TRIED, 'the answers do not tell the calls of the day')
    # Neither the one with a wrong token nor refused ones. Other applications may use the token meanwhile.
    made = lab.caller.count - int(lab.facts['calls']) - 1 - len(lab.caller.refusals)
    counted = used - int(lab.facts['used'])
    return lab.finding('limits.counted', counted >= made, response, f'{counted} counted for {made} calls')
