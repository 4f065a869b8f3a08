"""Pseudo-locale of the console, as own words in English.

A text outside of brackets was not translated, and a page that is wider than its window has no room for other languages.
"""

from pathlib import Path

from ..i18n.pseudo import (
    CLOSE,
    OPEN,
    texts,
)
from .window import Window

# What is no text of ours: values, words of the protocol, and results of checks, which are for operators.
_EXEMPT = '[lang]:not(html), [translate=no], code, pre, time, script, noscript, .checks strong'
_SIZE = r'^[\d.,]+ (bytes?|[kMG]B)$'
_FIND_OUTSIDE = f"""(() => {{
  const exempt = (element) => element.closest({_EXEMPT!r}) !== null;
  let depth = 0;
  const outsideOf = (text) => {{
    let outside = '';
    for (const character of text) {{
      if (character === {CLOSE!r}) depth -= 1;
      if (depth === 0 && character !== {CLOSE!r} && character !== {OPEN!r}) outside += character;
      if (character === {OPEN!r}) depth += 1;
    }}
    return outside.trim();
  }};
  const found = [outsideOf(document.title.replace(' · fsp_pyramid', ''))];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {{
    if (!exempt(walker.currentNode.parentElement)) found.push(outsideOf(walker.currentNode.data));
  }}
  if (depth) found.push('brackets are not closed');
  for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {{
    for (const element of document.querySelectorAll(`[${{name}}]`)) {{
      const value = element.getAttribute(name);
      const values = [...element.querySelectorAll('[translate=no]')].map((named) => named.textContent);
      if (value !== 'https://' && !values.includes(value)) found.push(outsideOf(value));
    }}
  }}
  return found.filter((text) => /\\p{{L}}{{2}}/u.test(text) && !/{_SIZE}/.test(text));
}})()"""


def write(file: Path) -> Path:
    """Write the texts as a file for ``fsp.messages``."""
    lines = [f'{message_id} = {text}' for message_id, text in texts().items()]
    file.write_text('\n'.join(['[en]', *lines, '']), 'utf-8')
    return file


# Elements whose text has a few letters in each of many lines.
_FIND_CRUSHED = """[...document.querySelectorAll('dd, dt, td, p, li, span, time, button, label')].filter((found) => {
  const { width, height } = found.getBoundingClientRect();
  return found.innerText && width > 1 && width < 48 && height > 72;
}).map((found) => found.innerText)"""


def check(window: Window, case: str) -> None:
    """Assert that the page, and its open dialog, have no text outside of brackets and fit the window both ways."""
    outside = window.script(_FIND_OUTSIDE)
    assert outside == [], (case, outside)
    for direction in ('rtl', 'ltr'):
        window.script(f'document.documentElement.dir = {direction!r}')
        assert window.browser.overflow == 0, (case, direction)
        assert window.script(_FIND_CRUSHED) == [], (case, direction)
        wide = "[...document.querySelectorAll('dialog[open]')].some((found) => found.scrollWidth > found.clientWidth)"
        assert not window.script(wide), (case, direction)
