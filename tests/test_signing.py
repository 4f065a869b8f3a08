"""Signed tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.signing import BadToken, Signing

OLD, NEW = 'o' * 32, 'n' * 32


@given(st.binary(max_size=200), st.text(max_size=10))
def test_what_was_signed_is_verified(payload: bytes, purpose: str) -> None:
    token = Signing((NEW,), purpose).sign(payload)
    assert token.replace('-', '').replace('_', '').isalnum()
    assert Signing((OLD, NEW), purpose).verify(token) == payload


@pytest.mark.parametrize('others', [('', 'a'), ('a', ''), ('a', 'b')])
def test_a_token_for_one_purpose_is_none_for_another(others: tuple[str, str]) -> None:
    made, asked = others
    with pytest.raises(BadToken):
        Signing((NEW,), asked).verify(Signing((NEW,), made).sign(b'payload'))


@given(st.data())
def test_any_change_breaks_it(data: st.DataObject) -> None:
    token = Signing((NEW,), 'a').sign(b'some payload')
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.text(max_size=2).filter(lambda text: text != token[at]))
    with pytest.raises(BadToken):
        Signing((NEW,), 'a').verify(token[:at] + other + token[at + 1 :])
