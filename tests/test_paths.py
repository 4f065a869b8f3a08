"""The grammar of paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsp_pyramid import paths

FORBIDDEN = ''.join(map(chr, range(0x20))) + '\x7f\\/'
names = st.text(st.characters(exclude_characters=FORBIDDEN, exclude_categories=['Cs']), min_size=1, max_size=20).filter(
    lambda name: name not in {'.', '..'}
)


@given(st.lists(names, max_size=5), st.booleans())
def test_what_is_written_is_read(segments: list[str], directory: bool) -> None:
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
def test_complaints_name_what_is_wrong(text: str, complaint: str | None) -> None:
    if complaint is None:
        assert paths.parse(text)
    else:
        with pytest.raises(paths.PathError, match=complaint):
            paths.parse(text)


def test_spellings_share_a_key() -> None:
    assert paths.key(('Ärger', 'A.PNG')) == paths.key(('äRGER', 'a.png'))
    assert paths.key(('Straße',)) != paths.key(('STRASSE',))
