"""The shapes of errors at Egnyte and its gateways."""

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from fsp_pyramid.egnyte import errors, records


def error_of(answer: requests.Response, method: str = 'GET', **kwargs: Any) -> errors.EgnyteError:
    return errors.from_response(answer, method, **kwargs)


def response(status: int, body: object = b'', **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.reason = status, 'Reason'
    answer.request = requests.Request('GET', 'http://egnyte').prepare()
    answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
    return answer


@pytest.mark.parametrize(
    'body',
    [
        {'errorMessage': 'the text'},
        {'message': 'the text'},
        {'Errors': [{'description': 'the text', 'code': '404'}]},
        {'formErrors': [{'code': 'X', 'msg': 'the text'}]},
        {'errors': [{'msg': 'the text', 'code': 'X'}]},
        {'inputErrors': {'field': [{'msg': 'the text', 'code': 'X'}]}},
        {'errors': {'inputErrors': {'field': [{'msg': 'the text', 'code': 'X'}]}}},
        {'error': 'invalid_grant', 'error_description': 'the text'},
        {'fault': {'faultstring': 'the text', 'detail': {'errorcode': 'x'}}},
        b'<h1>the\n text</h1>',
        b'the text',
    ],
)
def test_text_is_found_in_all_known_shapes(body: object) -> None:
    assert str(error_of(response(400, body))) == 'the text (status 400)'


EGNYTES = {'X_Egnyte_Request_Id': 'r'}
MESSAGES_OF_OTHERS = (
    'Missing Authentication Token',
    'Rate limit exceeded',
    'Request blocked by WAF rule 1234',
    'Your IP address is not allowed',
    'You do not have permission to access this resource',
    'The account is locked',
)
WORDS_OF_OTHERS = ('access_denied', 'rate_limit_exceeded', 'not_allowed', 'invalid_token', 'insufficient_scope')
STYLE = b'<style>body { font-family: sans-serif } h1 > b { margin: 0 }</style>'
LONG_HEAD = b'<head>' + b'<meta name="x" content="y">' * 1000 + b'<script>if (a < b) "<h1>"</script></head>'
PERMISSION = {'errorMessage': 'You do not have permission to perform this action'}


@pytest.mark.parametrize('body', [b'', b'{}', b'[]', b'null', b'<html></html>'])
def test_reason_phrase_replaces_a_missing_text(body: bytes) -> None:
    assert 'Reason' in str(error_of(response(500, body, X_Egnyte_Request_Id='r1')))
    assert 'request r1' in str(error_of(response(500, body, X_Egnyte_Request_Id='r1')))


@pytest.mark.parametrize(
    ('answer', 'kind'),
    [
        (response(400), errors.Rejected),
        (response(401), errors.Unauthorized),
        (response(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_INACTIVE'), errors.Unauthorized),
        (response(403, {'errorMessage': 'You do not have permission'}), errors.Forbidden),
        (response(403, {'errorMessage': 'Folder already exists at this location'}), errors.AlreadyExists),
        (response(403, {'errorMessage': 'File is locked by another user'}), errors.Locked),
        (response(403, {'message': 'The file is Locked.'}, **EGNYTES), errors.Locked),
        (response(403, {'message': 'You do not have permission on /Shared/Lockers/a'}, **EGNYTES), errors.Forbidden),
        (response(403, {'message': 'You do not have permission on /Shared/locked/a'}, **EGNYTES), errors.Forbidden),
        (response(423), errors.Locked),
        (response(404, b'<html>long and dirty</html>'), errors.NotFound),
        (response(409), errors.AlreadyExists),
        (response(400, {'errorMessage': 'Checksum does not match the content'}), errors.ChecksumRefused),
        (response(400, {'errorMessage': 'You cannot have /Shared/checksum'}), errors.Rejected),
        (response(302), errors.Unavailable),
        (response(429, {'message': 'Developer Over Qps'}, Retry_After='1'), errors.Throttled),
        (response(429, {'message': 'Developer Over Rate'}, Retry_After='9'), errors.QuotaExceeded),
        (response(429, b'', Retry_After='4000'), errors.QuotaExceeded),
        (response(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_QPS'), errors.Throttled),
        (response(403, b'<h1>x</h1>', X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_RATE'), errors.QuotaExceeded),
        (response(500), errors.Unavailable),
        (response(502), errors.Unavailable),
        (response(504), errors.Unavailable),
        (response(596), errors.Unavailable),
        # Answers of other servers on the way.
        (response(403), errors.Unavailable),
        (response(403, b'Forbidden'), errors.Unavailable),
        (response(403, b'<html><h1>403 Forbidden</h1></html>'), errors.Unavailable),
        (response(403, b'<html>locked</html>'), errors.Unavailable),
        (response(403, b'<html>The file already exists</html>'), errors.Unavailable),
        (response(403, []), errors.Unavailable),
        (response(403, None), errors.Unavailable),
        (response(403, 'Forbidden'), errors.Unavailable),
        (response(403, {}), errors.Unavailable),
        (response(403, {'message': 'Forbidden'}), errors.Unavailable),
        *((response(403, {'message': text}), errors.Unavailable) for text in MESSAGES_OF_OTHERS),
        *((response(403, {'error': word}), errors.Unavailable) for word in WORDS_OF_OTHERS),
        (response(403, {'error': 'access_denied', 'error_description': 'x'}), errors.Unavailable),
        (response(403, {'ErrorCode': 'blocked', 'Error': 'x'}), errors.Unavailable),
        (response(403, {'error': 'access_denied'}, **EGNYTES), errors.Forbidden),
        (response(405, {'error': 'method_not_allowed'}), errors.Unavailable),
        (response(403, {'error': 'Forbidden'}), errors.Unavailable),
        (response(403, {'error': {'code': 403, 'message': 'x'}}), errors.Unavailable),
        (response(403, {'title': 'Forbidden', 'status': 403, 'detail': 'x'}), errors.Unavailable),
        (response(403, {'status': 403, 'error': 'Forbidden', 'message': 'x', 'path': '/'}), errors.Unavailable),
        (response(403, {'success': False, 'errors': [{'code': 1020, 'message': 'x'}]}), errors.Unavailable),
        (response(403, {'fault': {'faultstring': 'x'}}), errors.Unavailable),
        (response(403, b'[' * 100_000), errors.Unavailable),
        (response(403, b'{"errorMessage": "You do not'), errors.Unavailable),
        (response(403, b'\xef\xbb\xbf' + json.dumps(PERMISSION).encode()), errors.Forbidden),
        (response(403, PERMISSION, Content_Type='text/html'), errors.Forbidden),
        (response(403, {'message': 'Forbidden'}, X_Egnyte_Request_Id='r'), errors.Forbidden),
        (response(403, {'formErrors': [{'code': 'X', 'msg': 'x'}]}), errors.Forbidden),
        (response(401, b'<html>Log in</html>'), errors.Unavailable),
        (response(401, b'', WWW_Authenticate='Basic realm="proxy"'), errors.Unavailable),
        (response(401, b'', WWW_Authenticate='Bearer'), errors.Unauthorized),
        (response(401, {'fault': {'faultstring': 'Invalid Access Token'}}), errors.Unauthorized),
        (response(401, {'error': 'invalid_token'}), errors.Unauthorized),
        *((response(status, b'<html>x</html>'), errors.Unavailable) for status in (400, 405, 409, 410, 423, 451)),
        *((response(status), errors.Unavailable) for status in (300, 303, 304, 307, 308, 405, 407, 408, 410, 451)),
        *((response(status, PERMISSION), errors.Unavailable) for status in (302, 407, 408, 511)),
        *((response(status, body), errors.Unavailable) for status in (413, 416) for body in (b'', b'<html>x</html>')),
        # Too many calls, in all known forms.
        (response(403, X_Mashery_Error_Code='ERR_403_SERVICE_OVER_QPS'), errors.Throttled),
        (response(403, X_Mashery_Error_Code='ERR_403_SERVICE_OVER_RATE'), errors.QuotaExceeded),
        (response(403, b'x', X_Mashery_Error_Code='ERR_403_ACCOUNT_OVER_SOMETHING'), errors.Throttled),
        (response(403, b'<h1>Developer Over Qps</h1>'), errors.Throttled),
        (response(403, b'<html><body><h1>Developer Over Rate</h1></body></html>'), errors.QuotaExceeded),
        (response(403, b'<h1>Account Over Queries Per Second Limit</h1>'), errors.Throttled),
        (response(403, b'<h1>Account Over Rate Limit</h1>'), errors.QuotaExceeded),
        (response(403, b'<h1>Service Over Qps</h1>'), errors.Throttled),
        (response(403, {'message': 'Developer Over Rate'}), errors.QuotaExceeded),
        *(
            (response(403, b'<html>' + head + b'<body><h1>Developer Over Rate</h1>' + b'x' * 300), errors.QuotaExceeded)
            for head in (
                STYLE,
                LONG_HEAD,
                STYLE * 1000,
                b'<!-- ' + b'x' * 5000 + b' -->',
                b'<p>' + b'x' * 5000 + b'</p>',
            )
        ),
        (response(403, b'<h1>Developer&nbsp;Over&nbsp;Qps</h1>'), errors.Throttled),
        (response(403, b'<h1>Developer&#32;Over<br>Rate</h1>'), errors.QuotaExceeded),
        (response(403, b'<h1>Method Over Qps</h1>'), errors.Throttled),
        (response(403, b'<p>The package over rate</p>'), errors.QuotaExceeded),
        (response(403, b'<h1 class="x">Service Over Capacity</h1>'), errors.Throttled),
        (response(403, b'<title>403 Partner Over Burst</title>'), errors.Throttled),
        (response(403, b'<title>Blocked</title><p>Handed over to security</p>'), errors.Unavailable),
        (response(429, LONG_HEAD + b'<p>' + b'x' * 300 + b'</p><h1>Developer Over Rate</h1>'), errors.QuotaExceeded),
        (response(429, b'<h1>Slow down</h1>' + b'x' * 300 + b' You are over rate limits.'), errors.Throttled),
        (response(403, STYLE + b'<h1>Developer Inactive</h1>'), errors.Unauthorized),
        (response(403, X_Mashery_Error_Code='err_403_developer_over_qps'), errors.Throttled),
        (response(403, X_Mashery_Error_Code='err_403_developer_over_rate'), errors.QuotaExceeded),
        (response(403, {'errorMessage': 'No permission for /Shared/Developer Over Rate'}), errors.Forbidden),
        (response(403, b'<h1>Developer Inactive</h1>'), errors.Unauthorized),
        (response(403, b'<h1>x</h1>', X_Mashery_Error_Code='ERR_403_NOT_AUTHORIZED'), errors.Unavailable),
    ],
)
def test_classes(answer: requests.Response, kind: type) -> None:
    assert type(error_of(answer)) is kind


@pytest.mark.parametrize('method', ['POST', 'DELETE'])
@pytest.mark.parametrize(
    ('status', 'kind'),
    [(502, errors.Unreachable), (504, errors.Unreachable), (500, errors.Unavailable), (503, errors.Unavailable)],
)
def test_gateway_timeout_of_a_change_is_unreachable(method: str, status: int, kind: type) -> None:
    assert type(error_of(response(status), method)) is kind


@pytest.mark.parametrize('body', [b'', b'<html>x</html>', {'errorMessage': 'x'}])
@pytest.mark.parametrize(
    ('status', 'method', 'request_of', 'kind'),
    [
        (413, 'POST', {'data': io.BytesIO(b'file')}, errors.Rejected),
        (413, 'POST', {'json': {'action': 'add_folder'}}, errors.Unavailable),
        (413, 'POST', {'data': {'grant_type': 'refresh_token'}}, errors.Unavailable),
        (413, 'DELETE', {}, errors.Unavailable),
        (413, 'GET', {'headers': {'Range': 'bytes=5-'}}, errors.Unavailable),
        (416, 'GET', {'headers': {'Range': 'bytes=5-'}}, errors.RangeRefused),
        (416, 'GET', {}, errors.Unavailable),
        (416, 'POST', {'data': io.BytesIO(b'file')}, errors.Unavailable),
    ],
)
def test_413_is_about_files_and_416_about_ranges(
    status: int, method: str, request_of: dict[str, Any], kind: type, body: object
) -> None:
    answer = response(status, body)
    answer.request = requests.Request(method, 'http://egnyte', **request_of).prepare()
    assert type(error_of(answer, method)) is kind


@pytest.mark.parametrize(
    ('text', 'kind'),
    [
        ('You do not have permission to upload to this folder', errors.Forbidden),
        ('The file is locked by another user', errors.Locked),
        ('Folder already exists at this location', errors.AlreadyExists),
        *((text, errors.Unavailable) for text in MESSAGES_OF_OTHERS[:4]),
    ],
)
def test_message_in_answer_to_a_change(text: str, kind: type) -> None:
    """Proxies may have dropped Egnyte's headers."""
    error = error_of(response(403, {'message': text}), 'POST')
    assert type(error) is kind
    assert not error.authentic
    assert type(error_of(response(403, {'message': text, 'status': 403}), 'POST')) is errors.Unavailable
    assert error_of(response(403, {'message': text}, **EGNYTES), 'POST').authentic


def test_rejection_class_comes_from_the_caller_or_the_text() -> None:
    def kind(answer: requests.Response) -> type:
        return type(error_of(answer, 'POST', rejected=errors.NameRejected))

    assert kind(response(400)) is errors.NameRejected
    assert kind(response(400, {'message': 'checksum mismatch'})) is errors.ChecksumRefused
    assert kind(response(302)) is errors.Unavailable
    assert kind(response(404)) is errors.NotFound


@pytest.mark.parametrize(
    ('answer', 'authentic'),
    [
        (response(404, {'errorMessage': 'Item not found'}), True),
        (response(404, b'<html>long and dirty</html>'), False),
        (response(404), False),
        (response(404, {'message': 'Not Found'}), False),
        (response(404, {'message': 'no Route matched with those values'}), False),
        (response(404, {'message': 'Not Found'}, X_Egnyte_Request_Id='r'), True),
        (response(403, {'message': 'Your IP address is not allowed'}), False),
        (response(404, {'fault': {'faultstring': 'no route'}}), False),
        (response(404, {'error': 'not_found'}), False),
        (response(404, {'error': 'not_found', 'error_description': 'x'}), False),
        (response(404, {'message': 'no permission'}), False),
    ],
)
def test_authenticity_of_404(answer: requests.Response, authentic: bool) -> None:
    assert error_of(answer).authentic is authentic


NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
TO_MIDNIGHT = 6400


@pytest.mark.parametrize(
    ('text', 'wait'),
    [
        ('7', 7),
        ('1.5', 1.5),
        ('inf', 86400),
        ('1e300', 86400),
        ('Tue, 14 Nov 2023 22:13:50 GMT', 30),
        ('Tue, 14 Nov 2023 22:13:50', 30),
        ('Tue Nov 14 22:13:50 2023', 30),
        ('Tue, 14 Nov 2023 23:13:50 +0100', 30),
        ('Fri, 31 Dec 9999 23:59:59 GMT', 86400),
        *((text, None) for text in ('soon', '', '0', '-3', 'nan', '-inf', 'Tue, 99 Nov 2023 22:13:50 GMT', '5 s', ',')),
        ('Tue, 14 Nov 2023 22:13:20 GMT', None),
        ('Wed, 01 Jan 1601 00:00:00 GMT', None),
    ],
)
def test_retry_after(text: str, wait: float | None) -> None:
    over_qps = errors.from_response(response(429, b'', Retry_After=text), 'GET', now=NOW)
    assert over_qps.wait == (wait or 1)
    over_rate = response(429, {'message': 'Developer Over Rate'}, Retry_After=text)
    assert errors.from_response(over_rate, 'GET', now=NOW).wait == (wait or TO_MIDNIGHT)


def test_retry_date_is_relative_to_the_date_of_the_answer() -> None:
    dates = {'Date': 'Tue, 14 Nov 2023 10:00:00 GMT', 'Retry_After': 'Tue, 14 Nov 2023 10:00:05 GMT'}
    assert errors.from_response(response(429, b'', **dates), 'GET', now=NOW).wait == 5


@pytest.fixture(params=['UTC', 'Asia/Tokyo', 'America/New_York'])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the zone of the machine."""
    with monkeypatch.context() as patch:
        patch.setenv('TZ', request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures('zone')
@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (1785757715000, 1785757715000),
        ('1785757715000', 1785757715000),
        ('Mon, 03 Aug 2026 11:48:35 GMT', 1785757715000),
        ('2026-08-03T11:48:35Z', 1785757715000),
        ('2026-08-03T11:48:35+0000', 1785757715000),
        ('Mon, 03 Aug 2026 11:48:35', 1785757715000),
        ('Mon, 03 Aug 2026 11:48:35 -0000', 1785757715000),
        ('2026-08-03T11:48:35', 1785757715000),
        ('2026-08-03 13:48:35+02:00', 1785757715000),
        (float('inf'), 0),
        (float('nan'), 0),
        (1e30, 0),
        (10**30, 0),
        ('1' * 30, 0),
        (253402300799999, 253402300799999),
        (253402300800000, 0),
        (-1, 0),
        ([], 0),
        ('yesterday', 0),
        (None, 0),
    ],
)
def test_times(value: object, expected: int) -> None:
    assert records.milliseconds(value) == expected
