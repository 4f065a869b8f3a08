"""Grammar of paths."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid import paths

FORBIDDEN = ''.join(map(chr, range(0x20))) + '\x7f\\/'
names = st.text(st.characters(exclude_characters=FORBIDDEN, exclude_categories=['Cs']), min_size=1, max_size=20).filter(
    lambda name: name not in {'.', '..'}
)


@given(st.lists(names, max_size=5), st.booleans())
def test_text_is_parsed_back(segments: list[str], directory: bool) -> None:
    directory = directory or not segments
    written = paths.text(segments, directory=directory)
    assert paths.parse(written) == (tuple(segments), directory)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    try:
        path, directory = paths.parse(text)
    except paths.PathError:
        return
    assert paths.text(path, directory=directory) == text


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('', 'begins with a slash'),
        ('a/b', 'begins with a slash'),
        ('//', 'two slashes'),
        ('/a//b', 'two slashes'),
        ('/a/', None),
        ('/a/../b', '".." is not a name'),
        ('/a/./b', '"." is not a name'),
        ('/a\nb', r'control character \(U\+000A\)'),
        ('/a\x7fb', r'U\+007F'),
        ('/a\\b', 'backslash'),
        ('/@@view', None),
        ('/Screenshot 10.00\u202fAM.png', None),
    ],
)
def test_complaints_name_the_problem(text: str, complaint: str | None) -> None:
    if complaint is None:
        assert paths.parse(text)
    else:
        with pytest.raises(paths.PathError, match=complaint):
            paths.parse(text)


NFD, NFC = 'e\u0301', '\xe9'


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('Ärger.PNG', 'äRGER.png'),
        ('ДОМ', 'дом'),
        (NFC, NFD),
        (NFC.upper(), NFD),
        ('\u1e69', 's\u0307\u0323'),  # two marks, in the other order
        ('각', '\u1100\u1161\u11a8'),  # Hangul
        ('\u0958', '\u0915\u093c'),  # NFC decomposes it
    ],
)
def test_equal_names(one: str, other: str) -> None:
    assert paths.fold(one) == paths.fold(other)


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('\N{KELVIN SIGN}', 'k'),
        ('\N{KELVIN SIGN}', 'K'),
        ('\N{ANGSTROM SIGN}', 'å'),
        ('\N{OHM SIGN}', 'ω'),
        ('İ', 'i'),
        ('İ', 'i\u0307'),
        ('ı', 'i'),
        ('I', 'ı'),
        ('ſ', 's'),
        ('ß', 'ss'),
        ('ẞ', 'ß'),
        ('ς', 'σ'),
        ('ǅ', 'ǆ'),
        ('µ', 'μ'),
        ('ﬁ', 'fi'),
        ('２', '2'),
        ('\uf900', '\u8c48'),  # a compatibility ideograph
    ],
)
def test_different_names(one: str, other: str) -> None:
    assert paths.fold(one) != paths.fold(other)
    assert paths.fold(f'a{one}.txt') != paths.fold(f'a{other}.txt')


@given(names)
def test_folding_is_idempotent_and_ignores_the_form_of_composition(name: str) -> None:
    folded = paths.fold(name)
    assert paths.fold(folded) == folded
    composed = paths.composed(name)
    assert paths.composed(composed) == composed
    assert paths.fold(composed) == folded
    if not any(len(unicodedata.decomposition(character).split()) == 1 for character in name):
        for form in ('NFC', 'NFD'):
            assert paths.fold(unicodedata.normalize(form, name)) == folded
        assert composed == unicodedata.normalize('NFC', name)


def test_two_characters_are_one_only_as_letters_of_two_cases_or_as_one_composition() -> None:
    groups: dict[str, list[str]] = {}
    for character in map(chr, range(sys.maxunicode + 1)):
        if not '\ud800' <= character <= '\udfff':
            groups.setdefault(paths.fold(character), []).append(character)
    for group in groups.values():
        assert len(group) <= 2
        if len(group) == 2:
            upper, lower = group if group[0].lower() != group[0] else reversed(group)
            assert upper.lower() == lower
            assert lower.upper() == upper


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('/' + 'a' * 4999, None),
        ('/' + 'a' * 5000, '5000 bytes'),
        ('/' + 'é' * 2499 + 'a', None),
        ('/' + 'é' * 2500, '5000 bytes'),
        ('/' + '\ud800' * 2000, '5000 bytes'),  # JSON spells it in 6 bytes, UTF-8 cannot
        ('/a' * 100, None),
        ('/a' * 100 + '/', None),
        ('/a' * 101, '100 names'),
        ('/a' * 101 + '/', '100 names'),
        ('/' * 102, '100 names'),
    ],
)
def test_path_length_and_depth_are_bounded(text: str, complaint: str | None) -> None:
    if complaint is None:
        assert paths.text(*_parsed(text)) == text
    else:
        with pytest.raises(paths.PathError, match=complaint):
            paths.parse(text)


def _parsed(text: str) -> tuple[paths.Path]:
    path, directory = paths.parse(text)
    return (path if not directory else (*path, ''),)


def test_excess_path_is_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a path is checked before its names."""
    checked: list[str] = []
    monkeypatch.setattr(paths, '_check', checked.append)
    for size in (10_000, 20_000):
        with pytest.raises(paths.PathError) as caught:
            paths.parse('/a' * size)
        assert len(str(caught.value)) < 100
    assert checked == []


def test_spellings_share_a_key() -> None:
    assert paths.key(('Ärger', 'A.PNG')) == paths.key(('äRGER', 'a.png'))
    assert paths.key(('Straße',)) != paths.key(('STRASSE',))
