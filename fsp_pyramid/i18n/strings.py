"""Translation strings, and values whose spelling depends on the language."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from translationstring import TranslationString

DOMAIN = 'fsp_pyramid'
_SIZES = ((1 << 30, 'digital-gigabyte'), (1 << 20, 'digital-megabyte'), (1 << 10, 'digital-kilobyte'))


def _(message_id: str, text: str, /, **values: Any) -> TranslationString:
    """Return a text for users.

    :param message_id: the id of the text, which stays when its English changes; the context of gettext
    :param text: the text in English, with ``${name}`` for a value
    :param values: the values: text, numbers, times, :class:`Size`, :class:`Duration` and other translation strings
    """
    return TranslationString(text, domain=DOMAIN, context=message_id, mapping=values)


def with_value(text: str, value: str, replacement: str) -> str:
    """Return a translation string in which *replacement* stands for each value that is *value*."""
    if not isinstance(text, TranslationString):
        return text
    values = {name: replacement if found == value else found for name, found in (text.mapping or {}).items()}
    return TranslationString(text, mapping=values)


@dataclass(frozen=True)
class Size:
    """Size of a file, in bytes."""

    size: int

    def localized(self, locale: str) -> str:
        """Return it in the largest unit that gives 1 or more, with three digits."""
        for unit, name in _SIZES:
            if self.size >= unit:
                return _in_unit(float(f'{self.size / unit:.3g}'), name, 'short', locale)
        return _in_unit(self.size, 'digital-byte', 'long', locale)


@dataclass(frozen=True)
class Duration:
    """Time until something happens, in seconds."""

    seconds: float

    def localized(self, locale: str) -> str:
        """Return it in hours and minutes, rounded up."""
        from babel.lists import format_list

        hours, minutes = divmod(max(math.ceil(self.seconds / 60), 1), 60)
        counted = ((hours, 'duration-hour'), (minutes, 'duration-minute'))
        parts = [_in_unit(number, unit, 'long', locale) for number, unit in counted if number]
        # In Japanese the standard list has a comma; the other languages have a word there.
        return format_list(parts, style='unit' if locale == 'ja' else 'standard', locale=locale)


def _in_unit(number: float, unit: str, length: Literal['short', 'long'], locale: str) -> str:
    from babel.units import format_unit  # slow, and most processes write no such text

    text = format_unit(number, unit, length, locale=locale)
    # Languages whose long form is the short one have only that, and Babel writes the name of the unit instead.
    return format_unit(number, unit, 'short', locale=locale) if text.endswith(unit) else text
