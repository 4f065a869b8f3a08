"""Links and states: modified and expired ones are refused."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.connect.links import LinkExpired, Links, Purpose
from fsp_pyramid.connect.states import LIFETIME, StateExpired, States, browser_of
from fsp_pyramid.content import links as public
from fsp_pyramid.signing import BadToken

SECRETS = ('s' * 32,)
NOW = 1_800_000_000.5
BROWSER = 'b' * 22
names = st.from_regex('[A-Za-z0-9_-]{1,200}', fullmatch=True)


def links(now: float = NOW) -> Links:
    return Links(SECRETS, lambda: now)


def states(now: float = NOW) -> States:
    return States(SECRETS, lambda: now)


ANNA = links().make('fsp', 'acme', 'shop', 'anna', Purpose.CONNECT, 3600)
TOKEN, STATE = links().sign(ANNA), states().make(ANNA, 'https://acme.egnyte.com', BROWSER)


@given(names, names, st.sampled_from(Purpose))
def test_link_round_trips(client_id: str, uid: str, purpose: Purpose) -> None:
    link = links().make('fsp', '', client_id, uid, purpose, 60)
    assert links().read(links().sign(link)) == link
    assert (link.client_id, link.uid, link.purpose) == (client_id, uid, purpose)


@given(st.data(), st.sampled_from([TOKEN, STATE]))
def test_modified_token_is_refused(data: st.DataObject, token: str) -> None:
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.text(max_size=3).filter(lambda text: text != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    with pytest.raises(BadToken):
        links().read(changed)
    with pytest.raises(BadToken):
        states().read(changed, BROWSER)


@given(st.text(max_size=300))
def test_arbitrary_text_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        links().read(text)
    with pytest.raises(BadToken):
        states().read(text, BROWSER)


def test_token_is_valid_for_one_purpose() -> None:
    file = public.Signer(SECRETS).sign(public.Link('fsp', 'x'))
    for token in (STATE, file):
        with pytest.raises(BadToken):
            links().read(token)
    for token in (TOKEN, file):
        with pytest.raises(BadToken):
            states().read(token, BROWSER)
    for token in (TOKEN, STATE):
        with pytest.raises(public.BadLink):
            public.Signer(SECRETS).verify(token)


@pytest.mark.parametrize(('late', 'good'), [(3598, True), (3600, False), (1e9, False)])
def test_links_expire(late: float, good: bool) -> None:
    if good:
        assert links(NOW + late).read(TOKEN) == ANNA
    else:
        with pytest.raises(LinkExpired):
            links(NOW + late).read(TOKEN)


def test_states_expire_and_belong_to_a_browser() -> None:
    assert states(NOW + LIFETIME - 1).read(STATE, BROWSER).link == ANNA
    with pytest.raises(StateExpired) as caught:
        states(NOW + LIFETIME).read(STATE, BROWSER)
    assert caught.value.link == ANNA
    for now, browser in ((NOW, 'c' * 22), (NOW, ''), (NOW + LIFETIME, 'c' * 22)):
        with pytest.raises(BadToken):
            states(now).read(STATE, browser)


def test_states_differ_and_hold_neither_the_link_nor_the_cookie() -> None:
    again = states().make(ANNA, 'https://acme.egnyte.com', BROWSER)
    assert states().read(again, BROWSER).nonce != states().read(STATE, BROWSER).nonce
    assert BROWSER not in repr(states().read(STATE, BROWSER))
    assert TOKEN[-20:] not in STATE


def test_state_keeps_the_expiry_of_its_link() -> None:
    link = links().make('fsp', '', 'shop', 'anna', Purpose.CONNECT, 5)
    state = states().read(states().make(link, '', BROWSER), BROWSER)
    assert state.link == link
    assert state.expires_at == int(NOW) + LIFETIME


@pytest.mark.parametrize('value', ['', 'short', 'ä' * 22, 'b' * 23, 'b b' * 8])
def test_malformed_cookie_is_ignored(value: str) -> None:
    for scheme, name in (('http', 'fsp_connect'), ('https', '__Host-fsp_connect')):
        request: Any = SimpleNamespace(environ={'HTTP_COOKIE': f'{name}={value}'}, scheme=scheme)
        assert browser_of(request) == ''
