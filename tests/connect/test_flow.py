"""The flow from the link to files in the user's own Egnyte."""

import json

import pytest
import requests

from fsp_pyramid.testing import Sandbox

from ..timing import PATIENCE
from .visitor import Site, Visitor


def test_connected_user_has_files_in_their_own_egnyte(site: Site, sandbox: Sandbox) -> None:
    assert site.files().json()['code'] == 3901
    with Visitor() as visitor:
        visitor.open(site.link())
        assert visitor.heading == 'Connect Egnyte'
        assert 'shop' in visitor.text
        assert 'anna' in visitor.text
        visitor.submit('Go to Egnyte').consent()
        assert visitor.heading == 'Egnyte is connected'
        assert 'Done.' in visitor.text
        assert '/Private/alice/Beefree' in visitor.text
    assert site.files().status_code == 200
    assert site.files('bert').json()['code'] == 3901


def test_each_request_to_the_pages_is_in_the_access_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO', 'fsp_pyramid.access')
    link = site.link()
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
        # Whether the user has a private folder.
        ('fsp_connect_folder', 'GET', 200, 1),
        ('fsp_connect', 'GET', 404, 0),
    ]
    assert link.split('/')[-1] not in ''.join(records)


def test_denied_consent_connects_nothing(site: Site) -> None:
    with Visitor() as visitor:
        visitor.open(site.link()).submit('Go to Egnyte').consent(decision='Deny')
        assert visitor.heading == 'Egnyte was not connected'
        assert visitor.follow('Start again').heading == 'Connect Egnyte'
    assert site.files().json()['code'] == 3901


def test_connecting_again_revokes_the_previous_tokens(site: Site, egnyte: str) -> None:
    def is_known(token: str) -> bool:
        headers = {'Authorization': f'Bearer {token}'}
        return requests.get(f'{egnyte}/pubapi/v1/userinfo', headers=headers, timeout=PATIENCE).status_code == 200

    with Visitor() as visitor:
        visitor.connect(site.link())
        before = site.connection().tokens.access
        assert is_known(before)
        visitor.open(site.link()).submit('Connect another account').consent('bob')
    assert site.connection().username == 'bob'
    assert is_known(site.connection().tokens.access)
    assert not is_known(before)
