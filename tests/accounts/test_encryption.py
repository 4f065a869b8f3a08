import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.accounts.encryption import DecryptionError, TokenCipher

KEY, OTHER = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
OWNERS = st.lists(st.text(), max_size=4).map(tuple)


@given(st.dictionaries(st.text(), JSON), OWNERS)
def test_decrypts_encrypted_value(value: dict[str, Any], owner: tuple[str, ...]) -> None:
    cipher = TokenCipher((KEY,))
    assert cipher.decrypt(cipher.encrypt(value, owner), owner) == value


@given(OWNERS, OWNERS)
def test_other_owner_is_refused(owner: tuple[str, ...], other: tuple[str, ...]) -> None:
    cipher = TokenCipher((KEY,))
    encrypted = cipher.encrypt({'access': 'x'}, owner)
    if owner == other:
        assert cipher.decrypt(encrypted, other)
    else:
        with pytest.raises(DecryptionError, match='another owner'):
            cipher.decrypt(encrypted, other)


def test_parts_of_the_owner_cannot_be_shifted() -> None:
    cipher = TokenCipher((KEY,))
    with pytest.raises(DecryptionError):
        cipher.decrypt(cipher.encrypt({}, ('a', 'bc')), ('ab', 'c'))


@given(st.data())
def test_changed_text_is_refused(data: st.DataObject) -> None:
    cipher = TokenCipher((KEY,))
    encrypted = cipher.encrypt({'access': 'x'}, ('a',))
    # The last characters before the padding have unused bits.
    position = data.draw(st.integers(0, len(encrypted) - 4))
    character = data.draw(st.characters())
    changed = encrypted[:position] + character + encrypted[position + 1 :]
    # Both alphabets of base64 are accepted.
    if changed.replace('+', '-').replace('/', '_') != encrypted:
        with pytest.raises(DecryptionError):
            cipher.decrypt(changed, ('a',))


@given(st.text())
def test_arbitrary_text_is_refused(text: str) -> None:
    with pytest.raises(DecryptionError):
        TokenCipher((KEY,)).decrypt(text, ())


def test_other_key_is_refused() -> None:
    encrypted = TokenCipher((OTHER,)).encrypt({}, ())
    with pytest.raises(DecryptionError, match='none of the encryption keys') as caught:
        TokenCipher((KEY,)).decrypt(encrypted, ())
    assert encrypted not in str(caught.value)


def test_newest_key_encrypts_and_all_decrypt() -> None:
    old, both, new = TokenCipher((KEY,)), TokenCipher((OTHER, KEY)), TokenCipher((OTHER,))
    encrypted = old.encrypt({'access': 'x'}, ('a',))
    assert both.decrypt(encrypted, ('a',)) == {'access': 'x'}
    rotated = both.rotate(encrypted, ('a',))
    assert new.decrypt(rotated, ('a',)) == new.decrypt(both.encrypt({'access': 'x'}, ('a',)), ('a',)) == {'access': 'x'}
    with pytest.raises(DecryptionError):
        old.decrypt(rotated, ('a',))
    with pytest.raises(DecryptionError):
        both.rotate(encrypted, ('b',))


def test_text_reveals_neither_value_nor_key() -> None:
    cipher = TokenCipher((KEY,))
    encrypted = cipher.encrypt({'access': 'secret'}, ('ann',))
    assert 'secret' not in encrypted
    assert b'secret' not in base64.urlsafe_b64decode(encrypted)
    assert KEY not in repr(cipher)


@pytest.mark.parametrize(
    'key', ['', 'short', KEY[:-1], KEY + 'A', 'ü' * 44, '!' * 44, KEY[:20] + ' ' + KEY[20:43], ' ' + KEY]
)
def test_invalid_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r'key 2 is no Fernet key.*Fernet\.generate_key') as caught:
        TokenCipher((KEY, key))
    assert not key or key not in str(caught.value)
    assert caught.value.__suppress_context__


def test_missing_keys_are_refused() -> None:
    with pytest.raises(ValueError, match='at least one'):
        TokenCipher(())


def test_key_made_as_the_message_says_is_accepted() -> None:
    assert TokenCipher((Fernet.generate_key().decode(),))
