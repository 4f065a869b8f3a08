"""Language of a request's answer, and the translators of an application."""

import logging
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import make_localizer
from pyramid.interfaces import ILocaleNegotiator, ITranslationDirectories
from pyramid.request import Request
from webob.acceptparse import create_accept_language_header
from zope.interface import Interface, implementer

from .catalogs import languages
from .translator import Translator

log = logging.getLogger(__name__)

# Characters of an Accept-Language that are read; browsers send some dozens.
LONGEST = 200


class ILanguages(Interface):
    """Languages of an application."""


@implementer(ILanguages)
class Languages:
    """Translators of an application, made when they are first used.

    :param language: that of requests which ask for none that there is
    :param own_words: an integrator's texts by language and id
    :param timezone: zone in which times are written
    :param header: name of the header in which an integrator sends the language of Beefree's user; '' for none
    """

    def __init__(
        self, language: str, own_words: Mapping[str, Mapping[str, str]], timezone: tzinfo, header: str
    ) -> None:
        self.language, self.header = language, header
        self._own_words, self._timezone = own_words, timezone
        self._translators: dict[str, Translator] = {}

    def translator(self, registry: Any, language: str) -> Translator:
        """Return the translator of a language. The host's translation directories may hold translations as well."""
        if language not in self._translators:
            localizer = make_localizer(language, registry.queryUtility(ITranslationDirectories, default=()))
            self._translators[language] = Translator(language, localizer, self._own_words.get(language), self._timezone)
        return self._translators[language]


def add_languages(config: Configurator, languages: Languages) -> None:
    """Register the languages of an application. Its own locale negotiator and localizers stay as they are."""
    config.add_translation_dirs('fsp_pyramid:locale')
    config.registry.registerUtility(languages, ILanguages)


def translator_of(request: Request, wanted: Iterable[str | None], fallback: str = '') -> Translator:
    """Return the translator for the answer to *request*.

    :param wanted: values like those of an ``Accept-Language`` header, the most important first; the request's own one
        follows them
    :param fallback: the language if all of these name none that there is; '' for that of the application
    """
    utility = request.registry.getUtility(ILanguages)
    for header in (*wanted, request.headers.get('Accept-Language')):
        found = header and _parsed(header).lookup(languages(), default=lambda: None)
        if found:
            return utility.translator(request.registry, found)
    return utility.translator(request.registry, fallback or utility.language)


def _parsed(header: str) -> Any:
    # Many write a locale where a language tag is due: de_AT. The look-up takes the square of the length of a tag.
    return create_accept_language_header(header[:LONGEST].replace('_', '-'))


def header_language(request: Request) -> str | None:
    """Return the value of the header of ``fsp.language_header``."""
    name = request.registry.getUtility(ILanguages).header
    return request.headers.get(name) if name else None


def host_language(request: Request) -> str | None:
    """Return the language of the host application's own locale negotiator; None if it has none, or it fails."""
    negotiator = request.registry.queryUtility(ILocaleNegotiator)
    if negotiator is None:
        return None
    try:
        found = negotiator(request)
    except Exception as error:  # noqa: BLE001 - the page may be the one that reports why, a URL that is not UTF-8 say
        log.warning('the locale negotiator of the application failed: %s', type(error).__name__)
        return None
    return str(found) if found else None
