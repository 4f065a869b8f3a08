"""From the link to files in one's own Egnyte."""

import requests

from fsp_pyramid.testing import Sandbox

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


def test_denying(place: Place) -> None:
    with Visitor() as visitor:
        visitor.open(place.link()).submit('Go to Egnyte').consent(decision='Deny')
        assert visitor.heading == 'Egnyte was not connected'
        assert visitor.follow('Start again').heading == 'Connect Egnyte'
    assert place.files().json()['code'] == 3901


def test_connecting_again_ends_the_tokens_that_were_there(place: Place, egnyte: str) -> None:
    def is_known(token: str) -> bool:
        headers = {'Authorization': f'Bearer {token}'}
        return requests.get(f'{egnyte}/pubapi/v1/userinfo', headers=headers, timeout=10).status_code == 200

    with Visitor() as visitor:
        visitor.connect(place.link())
        before = place.connection().tokens.access
        assert is_known(before)
        visitor.open(place.link()).submit('Connect another account').consent('bob')
    assert place.connection().username == 'bob'
    assert is_known(place.connection().tokens.access)
    assert not is_known(before)
