"""Catalogs: complete, and up to date with the code."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from fsp_pyramid.i18n.catalogs import (
    DIRECTORY,
    SOURCE,
    languages,
    names_in,
    placeholders,
)

ROOT = Path(__file__).parents[2]
TRANSLATIONS = sorted(path.name for path in DIRECTORY.iterdir() if path.is_dir())


class Text(NamedTuple):
    """A text of the template or of a catalog."""

    english: str
    translation: str


def texts(catalog: Catalog) -> dict[str, Text]:
    found = [message for message in catalog if message.id]
    assert len({message.context for message in found}) == len(found)
    return {_context(message.context): Text(str(message.id), str(message.string)) for message in found}


def _context(context: str | bytes) -> str:
    return context.decode() if isinstance(context, bytes) else context  # Babel reads bytes from .mo files


def read(path: Path) -> dict[str, Text]:
    with path.open('rb') as file:
        return texts(read_po(file))


def test_template_is_up_to_date(tmp_path: Path) -> None:
    """``make messages`` brings it up to date."""
    extracted = tmp_path / 'texts.pot'
    options = ['--mapping-file', str(ROOT / 'pyproject.toml'), '--no-default-keywords', '--keyword', '_:1c,2']
    CommandLineInterface().run(['pybabel', '-q', 'extract', *options, '-o', str(extracted), str(ROOT)])
    assert read(DIRECTORY / 'fsp_pyramid.pot') == read(extracted)


def test_languages_are_those_that_have_a_catalog() -> None:
    assert languages() == (SOURCE, *TRANSLATIONS)
    assert len(TRANSLATIONS) == 8
    assert set(placeholders()) == set(read(DIRECTORY / 'fsp_pyramid.pot'))


def test_ids_of_texts_can_be_keys_of_an_ini_file() -> None:
    assert not [name for name in placeholders() if not re.fullmatch('[a-z0-9-]+', name)]


@pytest.mark.parametrize('language', TRANSLATIONS)
def test_compiled_catalog_is_up_to_date(language: str) -> None:
    directory = DIRECTORY / language / 'LC_MESSAGES'
    with (directory / 'fsp_pyramid.mo').open('rb') as file:
        compiled = {name: text.translation for name, text in texts(read_mo(file)).items()}
    source = {name: text.translation for name, text in read(directory / 'fsp_pyramid.po').items()}
    assert compiled == {name: translation for name, translation in source.items() if translation}


@pytest.mark.parametrize('language', TRANSLATIONS)
def test_catalog_has_each_text_with_the_same_values(language: str) -> None:
    template, catalog = read(DIRECTORY / 'fsp_pyramid.pot'), read(DIRECTORY / language / 'LC_MESSAGES/fsp_pyramid.po')
    english = {name: text.english for name, text in catalog.items()}
    assert english == {name: text.english for name, text in template.items()}
    assert not [name for name, text in catalog.items() if not text.translation]
    assert not [name for name, text in catalog.items() if names_in(text.translation) != names_in(text.english)]


@pytest.mark.parametrize('language', TRANSLATIONS)
def test_catalog_says_that_it_is_machine_made_and_has_a_glossary(language: str) -> None:
    header = (DIRECTORY / language / 'LC_MESSAGES/fsp_pyramid.po').read_text().partition('msgid ""')[0]
    assert 'machine-made' in header
    assert 'Glossary' in header
