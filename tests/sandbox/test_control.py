"""Identity, limits, faults and the log of calls."""

from pathlib import Path

import pytest

from fsp_pyramid.sandbox import make_app

from .api import Api, raw_call
from .conftest import Clock

FS = '/pubapi/v1/fs/Shared'
LIMITS = ('Qps-Allotted', 'Qps-Current', 'Quota-Allotted', 'Quota-Current')


def limits_in(response: object) -> list[int]:
    return [int(response.headers[f'X-Accesstoken-{name}']) for name in LIMITS]


@pytest.mark.parametrize('header', [None, 'Bearer', 'Bearer other', 'Basic c2FuZGJveA==', 'Basic sandbox'])
def test_a_call_needs_a_token(api: Api, header: str | None) -> None:
    headers = {'Authorization': header} if header else {}
    assert 'errorMessage' in api.web.get(FS, headers=headers, status=401).json
    assert api.calls()[-1]['token'] is None


def test_every_answer_tells_the_limits(api: Api) -> None:
    response = api.get('fs/Shared')
    assert limits_in(response) == [1_000_000, 1, 1_000_000, 1]
    assert response.headers['X-Quota-Reset'] == 'Thursday, November 19, 2026 12:00:00 AM GMT'
    assert limits_in(api.get('fs/nothing', status=404)) == [1_000_000, 2, 1_000_000, 2]
    assert response.headers['X-Egnyte-Request-Id']


def test_calls_a_second(tmp_path: Path, clock: Clock) -> None:
    api = Api(make_app(tmp_path, qps=2, clock=clock))
    api.fs('/Shared')
    clock.now += 0.5
    assert limits_in(api.get('fs/Shared')) == [2, 2, 1_000_000, 2]
    clock.now += 0.4
    refused = api.get('fs/Shared', status=429)
    assert refused.headers['Retry-After'] == '1'
    assert refused.json == {'message': 'Developer Over Qps'}
    assert limits_in(refused)[:2] == [2, 3]
    clock.now += 0.1
    api.fs('/Shared')
    api.get('fs/Shared', status=429)
    api.by('bob').fs('/Shared')


def test_calls_a_day(tmp_path: Path, clock: Clock) -> None:
    api = Api(make_app(tmp_path, daily=3, clock=clock))
    for _ in range(3):
        api.fs('/Shared')
    refused = api.get('fs/Shared', status=429)
    assert limits_in(refused)[2:] == [3, 4]
    wait = int(refused.headers['Retry-After'])
    assert refused.json == {'message': 'Developer Over Rate'}
    clock.now += wait - 1
    api.get('fs/Shared', status=429)
    clock.now += 1
    assert limits_in(api.get('fs/Shared')) == [1_000_000, 1, 3, 1]


def test_the_older_gateway_refuses_in_its_own_way(tmp_path: Path, clock: Clock) -> None:
    api = Api(make_app(tmp_path, qps=1, daily=2, throttle='mashery', clock=clock))
    api.fs('/Shared')
    refused = api.get('fs/Shared', status=403)
    assert refused.headers['X-Mashery-Error-Code'] == 'ERR_403_DEVELOPER_OVER_QPS'
    assert refused.headers['Retry-After'] == '1'
    assert refused.text == '<h1>Developer Over Qps</h1>'
    clock.now += 1
    api.fs('/Shared')
    refused = api.get('fs/Shared', status=403)
    assert refused.headers['X-Mashery-Error-Code'] == 'ERR_403_DEVELOPER_OVER_RATE'


def test_limits_hold_over_applications(tmp_path: Path, clock: Clock) -> None:
    Api(make_app(tmp_path, qps=1, clock=clock)).fs('/Shared')
    Api(make_app(tmp_path, qps=1, clock=clock)).get('fs/Shared', status=429)


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path, clock: Clock) -> None:
    api = Api(make_app(tmp_path, qps=1, clock=clock))
    api.fs('/Shared')
    clock.now -= 3600
    api.fs('/Shared')


def test_acting_as_somebody_else(api: Api) -> None:
    api.upload('/Private/bob/a.txt')
    for header, name in (('X_Egnyte_Act_As', 'BOB'), ('X_Egnyte_Act_As_Email', 'bob@example.com')):
        assert api.get('fs/Private', **{header: name}).json['total_count'] == 1
        api.get('fs/Shared', status=400, **{header: 'banana'})
        api.by('alice').get('fs/Shared', status=403, **{header: name})


def test_the_log_of_calls(api: Api, clock: Clock) -> None:
    api.web.delete('/_sandbox/calls')
    api.mkdir('/Shared/a b')
    clock.now += 5
    api.get('fs//Shared/a%20c/', {'count': 5}, status=404)
    assert api.calls() == [
        {
            'at': clock.now - 5,
            'method': 'POST',
            'path': '/pubapi/v1/fs/Shared/a b',
            'status': 201,
            'token': 'sandbox',
        },
        {'at': clock.now, 'method': 'GET', 'path': '/pubapi/v1/fs//Shared/a c/', 'status': 404, 'token': 'sandbox'},
    ]
    api.web.delete('/_sandbox/calls', status=204)
    assert api.calls() == []


def test_the_log_forgets_what_is_old(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fsp_pyramid.sandbox.calls.KEPT', 10)
    api.order({'method': 'GET', 'path_prefix': '/pubapi', 'times': 2000, 'status': 404})
    for _ in range(1000):
        api.get('fs/Shared', status=404)
    assert len(api.calls()) == 10


@pytest.mark.parametrize(
    ('address', 'status'),
    [('127.0.0.1', 200), ('::1', 200), ('192.0.2.1', 403), ('gateway', 403), ('', 200)],
)
def test_control_is_for_this_machine_only(api: Api, address: str, status: int) -> None:
    api.web.get('/_sandbox/calls', extra_environ={'REMOTE_ADDR': address}, status=status)


def test_an_ordered_error_happens_instead_of_the_call(api: Api) -> None:
    api.order({'method': 'POST', 'path_prefix': '/pubapi/v1/fs/Shared/a b', 'times': 2, 'status': 503})
    api.mkdir('/Shared/other')
    api.fs('/Shared/a b', status=404)
    for _ in range(2):
        assert 'errorMessage' in api.mkdir('/Shared/a b', status=503)
    api.fs('/Shared/a b', status=404)
    api.mkdir('/Shared/a b')


def test_an_ordered_throttle_says_when_to_come_back(api: Api) -> None:
    api.order({'method': 'GET', 'path_prefix': FS, 'times': 1, 'status': 429})
    assert api.get('fs/Shared', status=429).headers['Retry-After'] == '1'
    assert api.web.get('/_sandbox/faults').json == []


def test_an_ordered_delay(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr('time.sleep', slept.append)
    api.order({'method': 'GET', 'path_prefix': FS, 'times': 1, 'latency': 2.5})
    api.fs('/Shared')
    api.fs('/Shared')
    assert slept == [2.5]


def test_general_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr('time.sleep', slept.append)
    Api(make_app(tmp_path, latency=0.25)).fs('/Shared')
    assert slept == [0.25]


def test_an_ordered_cut_happens_after_the_call(api: Api) -> None:
    content = '/pubapi/v1/fs-content/Shared/x/a.txt'
    api.order({'path_prefix': '/pubapi/v1/fs-content', 'times': 2, 'drop': True})
    _, headers, parts = raw_call(api.app, 'POST', content, b'hello', CONTENT_LENGTH='5')
    assert 0 < len(b''.join(parts)) < int(headers['Content-Length'])
    assert api.fs('/Shared/x/a.txt')['size'] == 5
    _, headers, parts = raw_call(api.app, 'GET', content)
    assert (b''.join(parts), headers['Content-Length']) == (b'he', '5')


@pytest.mark.parametrize('carried_out', [True, False])
def test_an_ordered_answer_stands_in_the_place_of_egnytes(api: Api, carried_out: bool) -> None:
    path = '/pubapi/v1/fs-content/Shared/x/a.txt'
    answer = {'status': 203, 'headers': {'X-Proxy': 'yes'}, 'body': '<p>Welcome', 'carried_out': carried_out}
    api.order({'path_prefix': path, 'answer': answer})
    status, headers, parts = raw_call(api.app, 'POST', path, b'hello', CONTENT_LENGTH='5')
    assert (status[:3], b''.join(parts)) == ('203', b'<p>Welcome')
    assert headers['X-Proxy'] == 'yes'
    assert headers['Content-Type'].startswith('text/html')
    assert [name for name in headers if name.lower().startswith(('x-egnyte', 'x-accesstoken'))] == []
    assert api.calls()[-1]['status'] == 203
    api.get('fs/Shared/x/a.txt', status=200 if carried_out else 404)


def test_faults_can_be_listed_replaced_and_cleared(api: Api) -> None:
    faults = [
        {'method': 'GET', 'path_prefix': '/a', 'times': 3, 'status': 500},
        {'method': None, 'path_prefix': '', 'times': 1, 'latency': 0.5},
        {'method': 'PUT', 'path_prefix': '/b', 'times': 1, 'drop': True},
        {'method': None, 'path_prefix': '/d', 'times': 2, 'answer': {'status': 200, 'body': 'é'}},
    ]
    api.order({'path_prefix': '/c', 'status': 404})
    api.order(*faults)
    assert api.web.get('/_sandbox/faults').json == faults
    api.web.delete('/_sandbox/faults', status=204)
    assert api.web.get('/_sandbox/faults').json == []


@pytest.mark.parametrize(
    'fault',
    [
        {'method': 'GET'},
        {'status': 500, 'drop': True},
        {'status': 200},
        {'status': 'bad'},
        {'latency': 1, 'times': 0},
        {'answer': 200},
        {'answer': {}},
        {'answer': {'status': 100}},
        {'answer': {'status': 200, 'headers': []}},
        {'answer': {'status': 200, 'headers': {'X': 1}}},
        {'answer': {'status': 200, 'body': {}}},
        {'answer': {'status': 200, 'carried_out': 1}},
        {'answer': {'status': 200, 'colour': 'red'}},
        'drop',
    ],
)
def test_bad_faults(api: Api, fault: object) -> None:
    api.web.put_json('/_sandbox/faults', [fault], status=400)
    api.web.put_json('/_sandbox/faults', fault, status=400)
    api.web.put('/_sandbox/faults', b'{', status=400)


def test_bad_options(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='throttle'):
        make_app(tmp_path, throttle='503')
    with pytest.raises(ValueError, match='qps'):
        make_app(tmp_path, qps=0)
    with pytest.raises(TypeError, match='colour'):
        make_app(tmp_path, colour='red')
