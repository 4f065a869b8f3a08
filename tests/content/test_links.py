"""Signed links."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.content.links import (
    BadLink,
    Link,
    Signer,
    checksum_digits,
)

OLD, NEW = 'o' * 32, 'n' * 32
file_ids = st.uuids().map(str) | st.text(max_size=15)


@given(st.text(max_size=20), file_ids)
def test_signed_link_is_verified(account: str, file_id: str) -> None:
    link = Link(account, file_id)
    assert Signer((NEW,)).verify(Signer((NEW,)).sign(link)) == link


def test_token_is_short() -> None:
    token = Signer((NEW,)).sign(Link('fsp', str(uuid.uuid4())))
    assert len(token) == 50
    assert token.replace('-', '').replace('_', '').isalnum()


@pytest.mark.parametrize(
    ('link', 'token'),
    [
        (Link('fsp', '0f1a2b3c-0000-4000-8000-000000000000'), '8oNmc3APGis8AABAAIAAAAAAAAAAc01Xov0QAjA4614nSb3m3Q'),
        (Link('fsp/acme:12', 'x'), '8gtmc3AvYWNtZToxMnhvuJ-ZpxnTHGh8Z_FfxbDC'),
    ],
)
def test_tokens_of_earlier_releases_are_unchanged(link: Link, token: str) -> None:
    assert Signer((NEW, OLD)).sign(link) == token
    assert Signer((OLD, NEW)).verify(token) == link


def test_key_rotation_keeps_old_tokens_valid() -> None:
    link = Link('fsp', 'x')
    sent = Signer((OLD,)).sign(link)
    assert Signer((NEW, OLD)).verify(sent) == link
    assert Signer((NEW, OLD)).sign(link) == Signer((NEW,)).sign(link) != sent
    with pytest.raises(BadLink):
        Signer((NEW,)).verify(sent)


@given(st.data())
def test_changed_token_is_refused(data: st.DataObject) -> None:
    token = Signer((NEW,)).sign(Link('fsp', '0f1a2b3c-0000-4000-8000-000000000000'))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec='ascii').filter(lambda character: character != token[at]))
    with pytest.raises(BadLink):
        Signer((NEW,)).verify(token[:at] + other + token[at + 1 :])


@given(st.text(max_size=80))
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadLink):
        Signer((NEW,)).verify(text)


def test_thumbnail_token_is_bound_to_purpose_and_content() -> None:
    signer, link = Signer((NEW,)), Link('fsp', '5e7ac2dd-3a0f-4b8e-9a4d-0a6f0e0f3c11')
    token = signer.sign_thumbnail(link, 'a' * 12)
    assert signer.verify_thumbnail(token, 'a' * 12) == link
    for wrong in (lambda: signer.verify_thumbnail(token, 'b' * 12), lambda: signer.verify(token)):
        with pytest.raises(BadLink):
            wrong()
    with pytest.raises(BadLink):
        signer.verify_thumbnail(signer.sign(link), 'a' * 12)


def test_checksum_digits() -> None:
    assert checksum_digits('0123456789abcdef' * 8) == '0123456789ab'
    assert checksum_digits(f'2-3-104857600-{"fedcba9876543210" * 8}') == 'fedcba987654'
    assert checksum_digits('') == ''
