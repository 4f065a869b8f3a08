"""The shapes of errors at Egnyte and its gateways."""

import json

import pytest
import requests

from fsp_pyramid.egnyte import errors, records


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
    assert str(errors.from_response(response(400, body))) == 'the text (status 400)'


@pytest.mark.parametrize('body', [b'', b'{}', b'[]', b'null', b'<html></html>'])
def test_without_a_text_there_is_the_reason(body: bytes) -> None:
    assert 'Reason' in str(errors.from_response(response(500, body, X_Egnyte_Request_Id='r1')))
    assert 'request r1' in str(errors.from_response(response(500, body, X_Egnyte_Request_Id='r1')))


@pytest.mark.parametrize(
    ('answer', 'kind'),
    [
        (response(400), errors.Rejected),
        (response(401), errors.Unauthorized),
        (response(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_INACTIVE'), errors.Unauthorized),
        (response(403, {'errorMessage': 'You do not have permission'}), errors.Forbidden),
        (response(403, {'errorMessage': 'Folder already exists at this location'}), errors.AlreadyExists),
        (response(403, {'errorMessage': 'File is locked by another user'}), errors.Locked),
        (response(423), errors.Locked),
        (response(404, b'<html>long and dirty</html>'), errors.NotFound),
        (response(409), errors.AlreadyExists),
        (response(413), errors.Rejected),
        (response(429, {'message': 'Developer Over Qps'}, Retry_After='1'), errors.Throttled),
        (response(429, {'message': 'Developer Over Rate'}, Retry_After='9'), errors.QuotaExceeded),
        (response(429, b'', Retry_After='4000'), errors.QuotaExceeded),
        (response(403, X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_QPS'), errors.Throttled),
        (response(403, b'<h1>x</h1>', X_Mashery_Error_Code='ERR_403_DEVELOPER_OVER_RATE'), errors.QuotaExceeded),
        (response(500), errors.Unavailable),
        (response(596), errors.NotFound),
    ],
)
def test_classes(answer: requests.Response, kind: type) -> None:
    assert type(errors.from_response(answer)) is kind


def test_retry_after() -> None:
    assert errors.from_response(response(429, b'', Retry_After='7')).wait == 7
    assert errors.from_response(response(429, b'', Retry_After='soon')).wait == 1


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
