"""From the link to files in one's own Egnyte."""

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
