"""Pseudo-locale: English in brackets, with accents, and 40 % longer than it is.

Texts come from the code, not from ``fsp_pyramid.pot``, so that a new text counts before ``make messages`` has run.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir
from pyramid.registry import Registry

from fsp_pyramid.i18n.negotiation import ILanguages, Languages

from ..browser import Browser

ROOT = Path(__file__).parents[2]
OPEN, CLOSE = '⟦', '⟧'
WIDTH = 360
_ACCENTS = str.maketrans('aceinouyzACEINOUYZ', 'áçéîñöûýžÁÇÉÎÑÖÛÝŽ')
_PLACEHOLDER = re.compile(r'(\$\{\w+\})')
_ATTRIBUTES = ('alt', 'aria-label', 'placeholder', 'title')
# Visible text by lines, the title, and the attributes that people read or hear.
_TEXTS = """(() => {
  const attributes = %s.flatMap(name => [...document.querySelectorAll(`[${name}]`)].map(e => e.getAttribute(name)));
  return [document.title, ...document.body.innerText.split('\\n'), ...attributes];
})()"""


@cache
def english() -> Mapping[str, str]:
    """Return the texts of the code by id."""
    mappings = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['babel']['mappings']
    methods = [(mapping['pattern'], mapping['method']) for mapping in mappings]
    found = extract_from_dir(ROOT, methods, {}, {'_': ((1, 'c'), 2)})
    return {context: text for _, _, text, _, context in found if context}


def pseudo(text: str) -> str:
    """Return a text in the pseudo-locale. Its placeholders stay."""
    parts = _PLACEHOLDER.split(text)
    letters = sum(map(len, parts[::2]))
    accented = ''.join(part if at % 2 else part.translate(_ACCENTS) for at, part in enumerate(parts))
    padding = (' löréḿ' * (letters // 10 + 1))[: max(round(letters * 0.4), 2)].rstrip()
    return f'{OPEN}{accented}{padding}{CLOSE}'


@cache
def texts() -> Mapping[str, str]:
    """Return the texts of the pseudo-locale by id."""
    return {message_id: pseudo(text) for message_id, text in english().items()}


def speak(registry: Registry) -> None:
    """Make the pseudo-locale the English of an application."""
    registry.registerUtility(Languages('en', {'en': texts()}, UTC, ''), ILanguages)


def outside(text: str) -> str:
    """Return what is outside of brackets, which may be nested. Raises ValueError if they do not match."""
    depth, rest = 0, []
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        if depth < 0:
            raise ValueError(f'no opening bracket: {text}')
        if not depth and character != CLOSE:
            rest.append(character)
    if depth:
        raise ValueError(f'no closing bracket: {text}')
    return ''.join(rest).strip()


def check(browser: Browser, values: Collection[str], width: int = WIDTH) -> None:
    """Assert that the shown page fits, and that all of its words are in brackets.

    :param values: texts that are no words of ours: names, paths, identifiers
    :param width: of the window, in pixels
    """
    browser.resize(width)
    assert browser.overflow == 0, browser.text
    texts = browser.script(_TEXTS % list(_ATTRIBUTES))
    assert any(OPEN in text for text in texts)
    rest = {outside(text) for text in texts}
    assert {text for text in rest if re.search(r'[^\W\d_]', text)} <= set(values)
