"""From the link to files in one's own Egnyte."""

import json

import pytest
import requests

from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .visitor import Place, Visitor


def test_connecting(place: Place, sandbox: Sandbox) -> None:
    assert place.files().json()['code'] == 3901
    with Visitor() as visitor:
        visitor.open(place.link())
        assert visitor.heading == 'Connect Egnyte'
        assert 'shop' in visitor.text
        assert 'anna' in visitor.text
        visitor.submit('Go to Egnyte').consent()
        assert visitor.heading == 'Egnyte is connected'
        assert 'Done.' in visitor.text
        assert '/Private/alice/Beefree' in visitor.text
    assert place.files().status_code == 200
    assert place.files('bert').json()['code'] == 3901


def test_each_request_to_the_pages_is_a_line_of_the_access_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid.access')
    link = place.link()
    with Visitor() as visitor:
        visitor.open(link).submit('Go to Egnyte').consent().follow('Choose a folder')
        visitor.open(link.replace('/fsp-connect/', '/fsp-connect/x'))
    records = [record.getMessage() for record in caplog.records if record.name == 'fsp_pyramid.access']
    lines = [json.loads(record) for record in records]
    assert [(line['operation'], line['method'], line['status'], line['calls']) for line in lines] == [
        ('fsp_connect', 'GET', 200, 0),
        ('fsp_connect', 'POST', 303, 0),
        ('fsp_connect_callback', 'GET', 303, 1),
        ('fsp_connect', 'GET', 200, 0),
        # Two: the folder that is the default is not there yet, and its parent is shown instead.
        ('fsp_connect_folder', 'GET', 200, 2),
        ('fsp_connect', 'GET', 404, 0),
    ]
    assert link.split('/')[-1] not in ''.join(records)


def test_denying(place: Place) -> None:
    with Visitor() as visitor:
        visitor.open(place.link()).submit('Go to Egnyte').consent(decision='Deny')
        assert visitor.heading == 'Egnyte was not connected'
        assert visitor.follow('Start again').heading == 'Connect Egnyte'
    assert place.files().json()['code'] == 3901


def test_connecting_again_ends_the_tokens_that_were_there(place: Place, egnyte: str) -> None:
    def is_known(token: str) -> bool:
        headers = {'Authorization': f'Bearer {token}'}
        return requests.get(f'{egnyte}/pubapi/v1/userinfo', headers=headers, timeout=PATIENCE).status_code == 200

    with Visitor() as visitor:
        visitor.connect(place.link())
        before = place.connection().tokens.access
        assert is_known(before)
        visitor.open(place.link()).submit('Connect another account').consent('bob')
    assert place.connection().username == 'bob'
    assert is_known(place.connection().tokens.access)
    assert not is_known(before)
