"""Texts of the pages' scripts.

A script has its texts in English, with their ids, as Babel extracts them for the catalogs: ``_('id', 'English')``.
The page brings the texts that differ from these.
"""

from collections.abc import Mapping
from functools import cache

from pyramid.path import AssetResolver

from ..i18n import Translator, _

KEYWORDS = {'_': ((1, 'c'), 2)}  # as in the Makefile


def script_texts(translate: Translator, name: str) -> dict[str, str]:
    """Return the texts of the script ``static/NAME`` by id, without those that are the same in the script."""
    translated = {message_id: translate(_(message_id, english)) for message_id, english in english_texts(name).items()}
    return {message_id: text for message_id, text in translated.items() if text != english_texts(name)[message_id]}


@cache
def english_texts(name: str) -> Mapping[str, str]:
    """Return the texts in the script ``static/NAME`` by id."""
    from babel.messages.extract import extract  # slow, and most processes render no page

    with AssetResolver().resolve(f'fsp_pyramid:console/static/{name}').stream() as file:
        return {str(context): str(text) for _line, text, _comments, context in extract('javascript', file, KEYWORDS)}
