"""Events: our own changes after a cursor."""

from collections.abc import Iterator

from ..experiment import experiment
from ..lab import Lab, body_of
from ..model import Finding, NotTried


@experiment(1, 'events.list')
def events(lab: Lab) -> Iterator[Finding]:
    if 'cursor' not in lab.facts:
        raise NotTried('there is no cursor of the beginning')
    response = lab.call('GET', '/pubapi/v1/events', params={'id': lab.facts['cursor'], 'count': 100})
    found = body_of(response).get('events')
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    ids = [int(item['id']) for item in items if str(item.get('id')).isdecimal()]
    ours = any(lab.path in str(item.get('data')) for item in items)
    holds = ids and min(ids) > int(lab.facts['cursor']) and ours
    yield lab.finding(
        'events.list', holds, response, f'{len(items)} events, {"ours" if ours else "not ours"} among them'
    )
