"""Walks through the pages in other languages than English, in a small window."""

from collections.abc import Callable
from functools import cache

import pytest

from fsp_pyramid.i18n.catalogs import languages

from ..browser import Browser
from ..i18n import pseudo
from .test_pseudo import button, consent
from .visitor import Site

MORE = {'user_label': 'Anna Berg', 'return_url': 'https://app.example.com/settings'}


@cache
def sentences() -> list[str]:
    """Return the English texts, without the short ones: some are the same in other languages."""
    return [text for text in pseudo.english().values() if '${' not in text and len(text) > 20]


@pytest.fixture
def site(make: Callable[..., Site], browser: Browser) -> Site:
    browser.resize(360)
    return make(title='Acme Mailer', connect__return_origins='https://app.example.com')


def check(browser: Browser, language: str) -> None:
    assert browser.script('document.documentElement.lang') == language
    assert browser.overflow == 0
    assert 'Acme Mailer' in browser.text
    assert not [text for text in sentences() if text in browser.text]


@pytest.mark.parametrize('language', languages()[1:])
def test_first_page_is_in_the_language_of_the_link(site: Site, browser: Browser, language: str) -> None:
    browser.open(site.link(language=language, **MORE))
    check(browser, language)
    assert 'Anna Berg' in browser.text


@pytest.mark.parametrize('language', ['de', 'ja'])
def test_walk_from_the_link_to_a_folder_and_back(site: Site, browser: Browser, language: str) -> None:
    link = site.link(language=language, **MORE)
    browser.open(link)
    browser.click(button('connect'))
    consent(browser, 'Deny')
    check(browser, language)
    browser.click('a.button')
    browser.click(button('connect'))
    consent(browser, 'Allow')
    check(browser, language)
    assert 'alice' in browser.text
    browser.open(f'{link}/folder?at=/Private/alice')
    check(browser, language)
    browser.click(button('choose'))
    check(browser, language)
    assert '/Private/alice' in browser.text
    browser.script("document.querySelector('details').open = true")
    browser.click(button('disconnect'))
    check(browser, language)
    assert browser.script('document.querySelector(\'a[href^="https://app.example.com/"]\') !== null')
