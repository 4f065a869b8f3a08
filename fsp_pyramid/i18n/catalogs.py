"""Catalogs of the package, and an integrator's own words."""

import configparser
import difflib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .strings import DOMAIN

DIRECTORY = Path(__file__).parent.parent / 'locale'
SOURCE = 'en'
_PLACEHOLDER = re.compile(r'\$\{([A-Za-z]\w*)\}')
# What translation strings interpolate, or escape, besides that.
_OTHER_DOLLAR = re.compile(r'\$(?!\{[A-Za-z]\w*\})[A-Za-z{$]')
_SECTION = 'messages'  # of the files in a directory, which are named after their language


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that there are: English, which is that of the code, and those that have a catalog."""
    return (SOURCE, *sorted(path.parent.parent.name for path in DIRECTORY.glob(f'*/LC_MESSAGES/{DOMAIN}.mo')))


@cache
def placeholders() -> Mapping[str, frozenset[str]]:
    """Return the names of the values of each text, by id."""
    from babel.messages.pofile import read_po  # slow, and only own words are checked against it

    with (DIRECTORY / f'{DOMAIN}.pot').open('rb') as file:
        return {message.context: names_in(str(message.id)) for message in read_po(file) if message.context}


def names_in(text: str) -> frozenset[str]:
    """Return the names of the values in a text."""
    return frozenset(_PLACEHOLDER.findall(text))


def read_own_words(location: str) -> dict[str, dict[str, str]]:
    """Return an integrator's texts by language and id.

    :param location: an ini file with a section for each language, or a directory of files ``LANGUAGE.ini`` with the
        section ``[messages]``

    Raises ValueError, whose message lists all faults: an unknown language, an unknown id, an empty text, a value
    that the text does not have. A text may leave values out.
    """
    path = Path(location)
    if path.is_dir():
        files = sorted(path.glob('*.ini'))
        sections = [(file.stem, file, _read(file).get(_SECTION)) for file in files]
        if not files:
            raise ValueError(f'{path} holds no file LANGUAGE.ini')
    else:
        sections = [(language, path, texts) for language, texts in _read(path).items()]
    faults, words = [], {}
    for language, file, texts in sections:
        if texts is None:
            faults.append(f'{file} has no section [{_SECTION}]')
        elif language not in languages():
            faults.append(f'{file}: {language} is none of the languages {", ".join(languages())}')
        else:
            faults += [f'{file}, {language}: {fault}' for fault in _faults(texts)]
            words[language] = texts
    if faults:
        raise ValueError('; '.join(faults))
    return words


def _read(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(delimiters=('=',), comment_prefixes=('#', ';'), default_section='')
    try:
        parser.read_string(path.read_text('utf-8'), str(path))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ValueError(f'{path} cannot be read: {" ".join(str(error).split())}') from None
    return {
        section: {message_id: ' '.join(text.split()) for message_id, text in parser[section].items()}
        for section in parser.sections()
    }


def _faults(texts: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the texts of a language."""
    faults = []
    for message_id, text in texts.items():
        known = placeholders().get(message_id)
        if known is None:
            near = difflib.get_close_matches(message_id, placeholders(), n=1)
            faults.append(f'there is no text {message_id}{f"; did you mean {near[0]}?" if near else ""}')
        elif not text:
            faults.append(f'{message_id} is empty')
        elif found := _OTHER_DOLLAR.search(text):
            faults.append(f'{message_id}: {found[0]} is neither text nor a value; write values as ${{name}}')
        elif unknown := names_in(text) - known:
            values = ' '.join(f'${{{name}}}' for name in sorted(known)) or 'none'
            faults.append(f'{message_id} has no value ${{{min(unknown)}}}; its values: {values}')
    return faults
