"""A browser window that finds elements as people and screen readers do: by role and accessible name."""

import time
from pathlib import Path
from typing import Any

from ..browser import ELEMENT, Browser
from ..timing import PATIENCE

AXE = Path(__file__).parents[2] / 'var/npm/node_modules/axe-core/axe.min.js'


class Window:
    """The console in a browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def open(self, url: str) -> None:
        self.browser.open(url)

    def script(self, script: str) -> Any:
        return self.browser.script(script)

    def until(self, script: str) -> Any:
        """Wait until JavaScript returns a true value, and return that."""
        end = time.monotonic() + PATIENCE
        while not (value := self.script(script)):
            assert time.monotonic() < end, script
            time.sleep(0.02)
        return value

    def find(self, role: str, name: str) -> str:
        """Wait for a visible element of that role and accessible name; return its id for the driver.

        While a dialog is open, only its elements count: the page behind it is inert.
        """
        end = time.monotonic() + PATIENCE
        while True:
            for element in self._elements(role):
                if self._get(element, 'computedlabel') == name and self._get(element, 'displayed'):
                    return element
            assert time.monotonic() < end, (role, name, self.text)
            time.sleep(0.02)

    def _elements(self, role: str) -> list[str]:
        selectors = {
            'button': 'button',
            'link': 'a',
            'textbox': 'input',
            'heading': 'h1, h2',
            'list': 'ul',
            'dialog': 'dialog[open]',
        }
        open_dialog = self.script("document.querySelector('dialog[open]') !== null")
        scope = 'dialog[open] ' if open_dialog and role != 'dialog' else ''
        selector = ', '.join(scope + part for part in selectors[role].split(', '))
        found = self.browser.command('POST', '/elements', using='css selector', value=selector)
        return [element[ELEMENT] for element in found]

    def _get(self, element: str, what: str) -> Any:
        try:
            return self.browser.command('GET', f'/element/{element}/{what}')
        except AssertionError:  # it was replaced meanwhile
            return None

    def click(self, name: str, role: str = 'button') -> None:
        self.browser.command('POST', f'/element/{self.find(role, name)}/click')

    def fill(self, name: str, text: str) -> None:
        element = self.find('textbox', name)
        self.browser.command('POST', f'/element/{element}/clear')
        self.browser.command('POST', f'/element/{element}/value', text=text)

    def choose_file(self, name: str, *files: Path) -> None:
        """Choose files in the field of that name, as its dialog of the system does."""
        text = '\n'.join(map(str, files))
        self.browser.command('POST', f'/element/{self.find("textbox", name)}/value', text=text)

    @property
    def text(self) -> str:
        return self.script('document.body.innerText')

    @property
    def names(self) -> list[str]:
        """Names of the items in the list "Files"."""
        return self.script("[...document.querySelectorAll('#files b')].map(name => name.textContent)")

    def until_names(self, *names: str) -> None:
        wanted = '|'.join(names)
        self.until(f"[...document.querySelectorAll('#files b')].map(name => name.textContent).join('|') === {wanted!r}")

    def until_names_include(self, name: str) -> None:
        self.until(f"[...document.querySelectorAll('#files b')].some(found => found.textContent === {name!r})")

    def item(self, name: str) -> None:
        """Click an item of the list."""
        self.until(f"[...document.querySelectorAll('#files .item')].find(item => item.title === {name!r})")
        found = self.script(f"[...document.querySelectorAll('#files .item')].find(item => item.title === {name!r})")
        self.browser.command('POST', f'/element/{found[ELEMENT]}/click')

    @property
    def alert(self) -> str:
        return self.until("document.querySelector('[role=alert]:not([hidden])')?.innerText")

    def until_done(self, text: str) -> None:
        """Wait for a message of success."""
        self.until(f"document.querySelector('[role=status]').textContent.includes({text!r})")

    def keys(self, text: str) -> None:
        self.browser.keys(text)

    def tab_to(self, name: str) -> None:
        """Press Tab until the element of that accessible name has the focus."""
        seen = []
        while (seen[-1:] or [''])[0] != name:
            assert len(seen) < 60, seen
            self.keys('\ue004')
            seen.append(self.focused)

    @property
    def focused(self) -> str:
        element = self.browser.command('GET', '/element/active')[ELEMENT]
        return self._get(element, 'computedlabel') or ''

    def colours(self, scheme: str) -> None:
        """Prefer ``light`` or ``dark``, as settings of a system do."""
        feature = {'name': 'prefers-color-scheme', 'value': scheme}
        self.browser.devtools('Emulation.setEmulatedMedia', features=[feature])

    def violations(self) -> list[str]:
        """Return the violations that axe-core finds, each as its rule and the elements."""
        self.browser.command('POST', '/execute/sync', script=AXE.read_text(), args=[])
        report = self.browser.command(
            'POST', '/execute/async', script='axe.run().then(arguments[arguments.length - 1])', args=[]
        )
        return [f'{found["id"]}: {[node["target"] for node in found["nodes"]]}' for found in report['violations']]
