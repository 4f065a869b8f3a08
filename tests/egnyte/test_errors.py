"""The shapes of errors at Egnyte and its gateways."""

import json
from typing import Any

import pytest
import requests

from fsp_pyramid.egnyte import errors, records


def error_of(answer: requests.Response, method: str = 'GET', **kwargs: Any) -> errors.EgnyteError:
    return errors.from_response(answer, method, **kwargs)


def response(status: int, body: object = b'', **headers: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.reason = status, 'Reason'
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
def test_the_text_is_found_in_every_shape(body: object) -> None:
    assert str(error_of(response(400, body))) == 'the text (status 400)'


@pytest.mark.parametrize('body', [b'', b'{}', b'[]', b'null', b'<html></html>'])
def test_without_a_text_there_is_the_reason(body: bytes) -> None:
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
        (response(403, {'message': 'The file is Locked.'}), errors.Locked),
        (response(403, {'message': 'You do not have permission on /Shared/Lockers/a'}), errors.Forbidden),
        (response(403, {'message': 'You do not have permission on /Shared/locked/a'}), errors.Forbidden),
        (response(423), errors.Locked),
        (response(404, b'<html>long and dirty</html>'), errors.NotFound),
        (response(409), errors.AlreadyExists),
        (response(413), errors.Rejected),
        (response(416), errors.RangeRefused),
        (response(400, {'errorMessage': 'Checksum does not match the content'}), errors.ChecksumRefused),
        (response(400, {'errorMessage': 'You cannot have /Shared/checksum'}), errors.Rejected),
        (response(302), errors.EgnyteError),
        (response(429, {'message': 'Developer Over Qps'}, Retry_After='1'), errors.Throttled),
        (response(429, {'message': 'Developer Over Rate'}, Retry_After='9'), errors.QuotaExceeded),
        (response(429, b'', Retry_After='4000'), errors.QuotaExceeded),
        (response(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_QPS'), errors.Throttled),
        (response(403, b'<h1>x</h1>', X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_RATE'), errors.QuotaExceeded),
        (response(500), errors.Unavailable),
        (response(502), errors.Unavailable),
        (response(504), errors.Unavailable),
        (response(596), errors.NotFound),
    ],
)
def test_classes(answer: requests.Response, kind: type) -> None:
    assert type(error_of(answer)) is kind


@pytest.mark.parametrize('method', ['POST', 'DELETE'])
@pytest.mark.parametrize(
    ('status', 'kind'),
    [(502, errors.Unreachable), (504, errors.Unreachable), (500, errors.Unavailable), (503, errors.Unavailable)],
)
def test_what_a_gateway_did_not_wait_for_may_have_happened(method: str, status: int, kind: type) -> None:
    assert type(error_of(response(status), method)) is kind


def test_the_caller_knows_what_was_wrong_unless_egnyte_says_it() -> None:
    def kind(answer: requests.Response) -> type:
        return type(error_of(answer, 'POST', rejected=errors.NameRejected))

    assert kind(response(400)) is errors.NameRejected
    assert kind(response(400, {'message': 'checksum mismatch'})) is errors.ChecksumRefused
    assert kind(response(302)) is errors.EgnyteError
    assert kind(response(404)) is errors.NotFound


@pytest.mark.parametrize(
    ('text', 'wait'),
    [('7', 7), ('1.5', 1.5), ('soon', 1), ('', 1), ('0', 1), ('-3', 1), ('nan', 1), ('-inf', 1), ('inf', 86400)],
)
def test_retry_after(text: str, wait: float) -> None:
    assert error_of(response(429, b'', Retry_After=text)).wait == wait


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (1785757715000, 1785757715000),
        ('1785757715000', 1785757715000),
        ('Mon, 03 Aug 2026 11:48:35 GMT', 1785757715000),
        ('2026-08-03T11:48:35Z', 1785757715000),
        ('2026-08-03T11:48:35+0000', 1785757715000),
        ('yesterday', 0),
        (None, 0),
    ],
)
def test_times(value: object, expected: int) -> None:
    assert records.milliseconds(value) == expected
