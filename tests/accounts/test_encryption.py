import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.accounts.encryption import TokenCipher, VaultError

KEY, OTHER = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
OWNERS = st.lists(st.text(), max_size=4).map(tuple)


@given(st.dictionaries(st.text(), JSON), OWNERS)
def test_gives_back_what_was_sealed(value: dict[str, Any], owner: tuple[str, ...]) -> None:
    vault = TokenCipher((KEY,))
    assert vault.open(vault.seal(value, owner), owner) == value


@given(OWNERS, OWNERS)
def test_opens_for_nobody_else(owner: tuple[str, ...], other: tuple[str, ...]) -> None:
    vault = TokenCipher((KEY,))
    sealed = vault.seal({'access': 'x'}, owner)
    if owner == other:
        assert vault.open(sealed, other)
    else:
        with pytest.raises(VaultError, match='somebody else'):
            vault.open(sealed, other)


def test_parts_of_the_owner_cannot_be_shifted() -> None:
    vault = TokenCipher((KEY,))
    with pytest.raises(VaultError):
        vault.open(vault.seal({}, ('a', 'bc')), ('ab', 'c'))


@given(st.data())
def test_refuses_what_was_changed(data: st.DataObject) -> None:
    vault = TokenCipher((KEY,))
    sealed = vault.seal({'access': 'x'}, ('a',))
    # The last characters before the padding have bits that mean nothing.
    position = data.draw(st.integers(0, len(sealed) - 4))
    character = data.draw(st.characters())
    changed = sealed[:position] + character + sealed[position + 1 :]
    # Both alphabets of base64 are read alike.
    if changed.replace('+', '-').replace('/', '_') != sealed:
        with pytest.raises(VaultError):
            vault.open(changed, ('a',))


@given(st.text())
def test_refuses_what_was_never_sealed(text: str) -> None:
    with pytest.raises(VaultError):
        TokenCipher((KEY,)).open(text, ())


def test_refuses_another_key() -> None:
    sealed = TokenCipher((OTHER,)).seal({}, ())
    with pytest.raises(VaultError, match='none of the encryption keys') as caught:
        TokenCipher((KEY,)).open(sealed, ())
    assert sealed not in str(caught.value)


def test_seals_with_the_newest_key_and_opens_with_all() -> None:
    old, both, new = TokenCipher((KEY,)), TokenCipher((OTHER, KEY)), TokenCipher((OTHER,))
    sealed = old.seal({'access': 'x'}, ('a',))
    assert both.open(sealed, ('a',)) == {'access': 'x'}
    rotated = both.rotate(sealed, ('a',))
    assert new.open(rotated, ('a',)) == new.open(both.seal({'access': 'x'}, ('a',)), ('a',)) == {'access': 'x'}
    with pytest.raises(VaultError):
        old.open(rotated, ('a',))
    with pytest.raises(VaultError):
        both.rotate(sealed, ('b',))


def test_shows_nothing_of_what_it_seals() -> None:
    vault = TokenCipher((KEY,))
    sealed = vault.seal({'access': 'secret'}, ('ann',))
    assert 'secret' not in sealed
    assert b'secret' not in base64.urlsafe_b64decode(sealed)
    assert KEY not in repr(vault)


@pytest.mark.parametrize(
    'key', ['', 'short', KEY[:-1], KEY + 'A', 'ü' * 44, '!' * 44, KEY[:20] + ' ' + KEY[20:43], ' ' + KEY]
)
def test_refuses_what_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match=r'key 2 is no Fernet key.*Fernet\.generate_key') as caught:
        TokenCipher((KEY, key))
    assert not key or key not in str(caught.value)
    assert caught.value.__suppress_context__


def test_refuses_to_do_without_keys() -> None:
    with pytest.raises(ValueError, match='at least one'):
        TokenCipher(())


def test_takes_a_key_as_its_message_says_how_to_make_it() -> None:
    assert TokenCipher((Fernet.generate_key().decode(),))
