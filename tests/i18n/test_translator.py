"""Translation strings, values as each language writes them, and own words."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup
from pyramid.i18n import make_localizer

from fsp_pyramid.i18n import (
    Duration,
    Size,
    Translator,
    _,
    english,
    with_value,
)
from fsp_pyramid.i18n.catalogs import DIRECTORY, languages, read_own_words
from fsp_pyramid.i18n.templates import page_texts, strong


def translator(language: str, own_words: dict[str, str] | None = None, timezone: str = 'UTC') -> Translator:
    return Translator(language, make_localizer(language, [str(DIRECTORY)]), own_words, ZoneInfo(timezone))


SAMPLE = _('test-sample', '"${name}" is larger than ${size}. ${reason}', name='${size}', size=Size(20 << 20), reason='')


def test_text_without_a_translation_is_english() -> None:
    assert translator('de')(SAMPLE) == '"${size}" is larger than 20 MB. '
    assert english(SAMPLE) == '"${size}" is larger than 20 MB. '


def test_plain_text_stays_as_it_is() -> None:
    assert translator('de')('100 ${x} & more') == '100 ${x} & more'
    assert translator('de')('') == ''


def test_texts_within_texts_are_translated() -> None:
    inner = _('test-inner', 'Number ${number}.', number=1234567)
    outer = _('test-outer', 'Outer: ${inner}', inner=inner)
    assert english(outer) == 'Outer: Number 1,234,567.'
    assert translator('de')(outer) == 'Outer: Number 1.234.567.'
    assert translator('de', {'test-inner': 'Zahl ${number}!'})(outer) == 'Outer: Zahl 1.234.567!'


def test_own_words_replace_a_text_and_may_leave_values_out() -> None:
    assert translator('en', {'test-sample': 'Too large: ${name}'})(SAMPLE) == 'Too large: ${size}'


def test_value_is_replaced_in_a_text() -> None:
    renamed = with_value(_('test', 'The folder "${name}"', name='a', other='b'), 'a', 'c')
    assert english(renamed) == 'The folder "c"'
    assert with_value('The folder "a"', 'a', 'c') == 'The folder "a"'


@pytest.mark.parametrize(
    ('language', 'size', 'expected'),
    [
        ('en', 1, '1 byte'),
        ('en', 512, '512 bytes'),
        ('en', 20 << 20, '20 MB'),
        ('en', 1_500_000_000, '1.4 GB'),
        ('de', 1_500_000_000, '1,4\xa0GB'),
        ('fr', 20 << 20, '20\u202fMo'),
        ('nl', 512, '512 byte'),
        ('pl', 512, '512 bajtów'),
        ('ja', 2048, '2 KB'),
    ],
)
def test_sizes(language: str, size: int, expected: str) -> None:
    assert Size(size).localized(language) == expected


@pytest.mark.parametrize(
    ('language', 'seconds', 'expected'),
    [
        ('en', 1, '1 minute'),
        ('en', 7260, '2 hours and 1 minute'),
        ('de', 7260, '2 Stunden und 1 Minute'),
        ('es', 7260, '2 horas y 1 minuto'),
        ('pl', 5 * 3600, '5 godzin'),
        ('ja', 7260, '2 時間 1 分'),
    ],
)
def test_durations(language: str, seconds: float, expected: str) -> None:
    assert Duration(seconds).localized(language) == expected


@pytest.mark.parametrize('language', languages())
def test_units_are_in_the_language(language: str) -> None:
    texts = [Size(size).localized(language) for size in (0, 1, 2, 1 << 10, 1 << 20, 1 << 30)]
    texts += [Duration(seconds).localized(language) for seconds in (60, 120, 3600, 7260)]
    assert not [text for text in texts if '-' in text]  # Babel's name of a unit that it does not know


def test_times_are_in_the_zone() -> None:
    moment = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)
    assert english(_('test', '${time}', time=moment)).replace('\u202f', ' ') == 'Nov 26, 2026, 7:30 AM UTC'
    berlin = translator('de', timezone='Europe/Berlin')
    assert berlin.time(moment) == '26.11.2026, 08:30 MEZ'
    assert berlin.time(moment, 'medium') == '26.11.2026, 08:30:00 MEZ'
    assert berlin.clock(moment) == '08:30'


def test_decimals_have_as_many_digits_as_asked_for() -> None:
    assert translator('de').decimal(1234.5, 2) == '1.234,50'
    assert translator('en').decimal(0.04, 1) == '0.0'


def test_values_are_escaped_in_pages() -> None:
    translate = translator('en', {'own': '<b>${name}</b>'})
    text = _('test', 'A & "${name}" of ${owner}', name='<i>', owner=strong('<u>'))
    assert translate.html(text) == 'A &amp; &#34;&lt;i&gt;&#34; of <strong>&lt;u&gt;</strong>'
    assert isinstance(translate.html('<'), Markup)
    assert translate.html('<') == '&lt;'
    assert page_texts(translate)['_']('own', 'x', name='n') == '&lt;b&gt;n&lt;/b&gt;'


# Own words


def test_own_words_of_a_file_and_of_a_directory(tmp_path: Path) -> None:
    file = tmp_path / 'own.ini'
    file.write_text('[en]\nmissing = Gone:\n  "${name}"\n[de]\nerror-busy = Später: 50% $5\n')
    assert read_own_words(str(file)) == {'en': {'missing': 'Gone: "${name}"'}, 'de': {'error-busy': 'Später: 50% $5'}}
    directory = tmp_path / 'own'
    directory.mkdir()
    (directory / 'de.ini').write_text('[messages]\nerror-busy = Später.\n')
    assert read_own_words(str(directory)) == {'de': {'error-busy': 'Später.'}}


@pytest.mark.parametrize(
    ('text', 'complaint'),
    [
        ('[en]\nmissing-fil = x', 'there is no text missing-fil; did you mean missing-file?'),
        ('[en]\nmissing = ${title}', r'missing has no value \$\{title\}; its values: \$\{name\}'),
        ('[en]\nerror-busy = ${when}', r'error-busy has no value \$\{when\}; its values: none'),
        ('[en]\nmissing = $name', r'missing: \$n is neither text nor a value; write values as \$\{name\}'),
        ('[en]\nmissing = $$name', 'is neither text nor a value'),
        ('[en]\nmissing = ${name', 'is neither text nor a value'),
        ('[en]\nmissing = ${na-me}', 'is neither text nor a value'),
        ('[en]\nmissing =', 'missing is empty'),
        ('[tlh]\nmissing = x', 'tlh is none of the languages en, de'),
        ('missing = x', 'cannot be read: File contains no section headers'),
        ('[en]\nmissing = a\nmissing = b', 'cannot be read: .*already exists'),
        ('[en]\nmissing = \udce4', 'cannot be read'),
    ],
)
def test_faults_in_own_words(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / 'own.ini'
    file.write_bytes(text.encode('utf-8', 'surrogateescape'))
    with pytest.raises(ValueError, match=complaint):
        read_own_words(str(file))


def test_faults_of_a_directory_with_own_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'holds no file LANGUAGE\.ini'):
        read_own_words(str(tmp_path))
    (tmp_path / 'de.ini').write_text('[de]\nmissing = x')
    with pytest.raises(ValueError, match=r'has no section \[messages\]'):
        read_own_words(str(tmp_path))
    with pytest.raises(ValueError, match='cannot be read'):
        read_own_words(str(tmp_path / 'absent.ini'))
