"""Signed tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.signing import BadToken, Signing

OLD, NEW = 'o' * 32, 'n' * 32


@given(st.binary(max_size=200), st.text(max_size=10))
def test_signed_payload_is_verified(payload: bytes, purpose: str) -> None:
    token = Signing((NEW,), purpose).sign(payload)
    assert token.replace('-', '').replace('_', '').isalnum()
    assert Signing((OLD, NEW), purpose).verify(token) == payload


@pytest.mark.parametrize('others', [('', 'a'), ('a', ''), ('a', 'b')])
def test_token_is_invalid_for_another_purpose(others: tuple[str, str]) -> None:
    made, asked = others
    with pytest.raises(BadToken):
        Signing((NEW,), asked).verify(Signing((NEW,), made).sign(b'payload'))


@given(st.data())
def test_changed_token_is_refused(data: st.DataObject) -> None:
    token = Signing((NEW,), 'a').sign(b'some payload')
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.text(max_size=2).filter(lambda text: text != token[at]))
    with pytest.raises(BadToken):
        Signing((NEW,), 'a').verify(token[:at] + other + token[at + 1 :])
