"""Translation in templates of pages."""

from typing import Any

from markupsafe import Markup

from .strings import _
from .translator import Translator


def page_texts(translate: Translator) -> dict[str, Any]:
    """Return names for the templates of a page: ``_``, ``text``, ``strong``, ``language``, ``direction``."""
    from babel import Locale  # slow, and most processes render no page

    def translated(message_id: str, text: str, /, **values: Any) -> Markup:
        """Translate a text of the template, as pybabel extracts it."""
        return translate.html(_(message_id, text, **values))

    return {
        '_': translated,
        'text': translate.html,
        'strong': strong,
        'language': translate.language,
        'direction': Locale.parse(translate.language).text_direction,
    }


def strong(value: object) -> Markup:
    """Return a value of a text in bold."""
    return Markup('<strong>{}</strong>').format(value)
