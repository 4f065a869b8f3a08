"""Report formats, chosen by the suffix of the file."""

from collections.abc import Callable

from ..model import Report
from .as_html import html
from .as_json import json
from .as_junit import junit
from .as_text import summary

FORMATS: dict[str, Callable[[Report], str]] = {'.json': json, '.xml': junit, '.html': html}

__all__ = ['FORMATS', 'html', 'json', 'junit', 'summary']
