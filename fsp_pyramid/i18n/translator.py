"""Translation of the texts for users into one language."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, Protocol

from markupsafe import Markup, escape
from translationstring import TranslationString

from .strings import DOMAIN, Duration, Size

# Of times: to the minute, and to the second.
Precision = Literal['short', 'medium']


class Catalog(Protocol):
    """Translations of one language. A Localizer of Pyramid's is one."""

    def translate(self, text: TranslationString) -> str:
        """Return the translation with its values in it; the English text if there is none."""


class _NoCatalog:
    """Catalog of English: the texts as they are in the code."""

    @staticmethod
    def translate(text: TranslationString) -> str:
        return text.interpolate()


class Translator:
    """Makes texts readable, in one language.

    :param language: code of the language, of ISO 639
    :param own_words: texts that replace those of the catalog, by id
    :param timezone: zone in which times are written
    """

    def __init__(
        self,
        language: str,
        catalog: Catalog,
        own_words: Mapping[str, str] | None = None,
        timezone: tzinfo = UTC,
    ) -> None:
        self.language = language
        self._catalog, self._own_words, self._timezone = catalog, own_words or {}, timezone

    def __call__(self, text: str) -> str:
        """Return the text of a translation string in this language; any other text as it is."""
        if not isinstance(text, TranslationString):
            return text
        return _filled(self._template(text), self._values(text))

    @property
    def direction(self) -> str:
        """Return ``ltr`` or ``rtl``: how the language is written."""
        from babel import Locale

        return Locale.parse(self.language).text_direction

    def html(self, text: str) -> Markup:
        """Return the text of a translation string for a page. Values that are Markup keep their tags."""
        if not isinstance(text, TranslationString):
            return escape(text)
        values = {name: escape(value) for name, value in self._values(text).items()}
        return Markup(_filled(escape(self._template(text)), values))  # noqa: S704 - all parts are escaped

    def _template(self, text: TranslationString) -> str:
        """Return the translation, without values."""
        own = self._own_words.get(text.context) if text.domain == DOMAIN else None
        if own is not None:
            return own
        return self._catalog.translate(TranslationString(str(text), domain=text.domain, context=text.context))

    def _values(self, text: TranslationString) -> dict[str, str]:
        return {name: self.spelled(value) for name, value in (text.mapping or {}).items()}

    def spelled(self, value: Any) -> str:
        """Return a value of a text as this language spells it."""
        match value:
            case str():
                return self(value)
            case Size() | Duration():
                return value.localized(self.language)
            case datetime():
                return self.time(value)
            case int():
                from babel.numbers import format_decimal

                return format_decimal(value, locale=self.language)
        return str(value)

    def time(self, moment: datetime, precision: Precision = 'short') -> str:
        """Return date and time, with the zone."""
        from babel.dates import format_date, get_timezone_name

        local = moment.astimezone(self._timezone)
        day, time = format_date(local, locale=self.language), self.clock(moment, precision)
        return f'{day}, {time} {get_timezone_name(local, "short", locale=self.language)}'

    def clock(self, moment: datetime, precision: Precision = 'short') -> str:
        """Return the time of the day, without the zone."""
        from babel.dates import format_time

        local = moment.astimezone(self._timezone)
        return format_time(local, precision, tzinfo=self._timezone, locale=self.language)

    def decimal(self, number: float, digits: int) -> str:
        """Return a number with *digits* digits after its separator."""
        from babel.numbers import format_decimal

        return format_decimal(number, f'#,##0.{"0" * digits}', locale=self.language)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return TranslationString(template, mapping=values).interpolate()


_english = Translator('en', _NoCatalog())


def english(text: str) -> str:
    """Return the text of a translation string in English, for logs and commands; any other text as it is."""
    return _english(text)
