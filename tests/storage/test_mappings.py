"""The table of ``fsp.folders``."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid.errors import NameNotAllowed
from fsp_pyramid.model import Account, Identity
from fsp_pyramid.storage.mappings import FolderMapping, distinct_case, parse_mappings

ACCOUNT = Account('fsp:1', 'https://acme.egnyte.com', 'token', 'jane', ('Shared', 'Marketing'))


def test_table_is_parsed() -> None:
    assert parse_mappings(
        """
        /         /Shared/Beefree/{uid}
        /shared/  /Shared/Brand            ro
        /our files/  /Shared/Marketing Team/all of it/
        """
    ) == (
        FolderMapping((), ('Shared', 'Beefree', '{uid}'), read_only=False),
        FolderMapping(('shared',), ('Shared', 'Brand'), read_only=True),
        FolderMapping(('our files',), ('Shared', 'Marketing Team', 'all of it'), read_only=False),
    )


@pytest.mark.parametrize(
    ('table', 'complaint'),
    [
        ('', 'at least one line'),
        ('/shared/', 'needs a directory'),
        ('shared /Shared', 'needs a directory'),
        ('/ /Shared/{user}', r'\{user\} is unknown; there are \{uid\} and \{client_id\}'),
        ('/ /Shared/{uid!r}', 'is unknown'),
        ('/ /Shared/{uid', "expected '}'"),
        ('/ /Shared/../Private', '".." is not a name'),
        ('/ /', 'root of Egnyte'),
        ('/ /Shared/{folder}', 'stands at the beginning'),
        ('/ {folder}s', 'stands at the beginning'),
        ('/ /Shared/{client_id}-{uid}', 'two placeholders in "{client_id}-{uid}"'),
        ('/A/ /Shared/a\n/a/ /Shared/b', 'two lines are about /a'),
    ],
)
def test_error_names_the_line(table: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_mappings(table)


def test_ro_in_any_case() -> None:
    for word in ('ro', 'RO', 'Ro'):
        assert parse_mappings(f'/ /Shared/Brand {word}')[0].read_only


def test_error_for_a_bad_name_names_its_placeholder() -> None:
    (mount,) = parse_mappings('/ /Shared/{client_id}/{uid}')
    for identity, name in ((Identity('', 'acme', 'aab12345'), 'uid'), (Identity('', 'x_egnmeta', 'u'), 'client_id')):
        with pytest.raises(NameNotAllowed, match=rf'\(\{{{name}\}}\)'):
            mount.resolve(identity, ACCOUNT)


def test_placeholders() -> None:
    (mount,) = parse_mappings('/ /Shared/{client_id}/of {uid}')
    filled = mount.resolve(Identity('', 'acme', 'u_1'), ACCOUNT)
    assert filled.folder == ('Shared', 'acme', 'of u_1')


def test_placeholders_of_accounts() -> None:
    identity = Identity('', 'acme', 'u_1')
    for table, folder, used in (
        ('/ {folder}', ('Shared', 'Marketing'), {'folder'}),
        ('/ {folder}/for {uid}', ('Shared', 'Marketing', 'for u_1'), {'folder', 'uid'}),
        ('/ /Private/{egnyte_user}/Beefree', ('Private', 'jane', 'Beefree'), {'egnyte_user'}),
    ):
        (mount,) = parse_mappings(table)
        assert mount.resolve(identity, ACCOUNT).folder == folder
        assert mount.placeholders == used


def test_case_distinguishes_uids() -> None:
    digest = hashlib.sha256(b'OTHER').hexdigest()[:8]
    assert distinct_case('OTHER') == f'OTHER.{digest}'
    assert distinct_case('other') == 'other'


uids = st.from_regex(r'[A-Za-z0-9_-]{1,20}', fullmatch=True)


@given(uids, uids)
def test_two_uids_never_share_a_folder(one: str, other: str) -> None:
    assert (distinct_case(one).lower() == distinct_case(other).lower()) == (one == other)
