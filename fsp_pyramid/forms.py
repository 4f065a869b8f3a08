"""Forms of our own pages: what they send, before anything reads it."""

import re

from pyramid.request import Request

# Bytes; texts of people are shorter. WebOb takes seconds for a MB of tiny fields.
LARGEST = 16_384
# What browsers send for a form without files. WebOb fails in many ways for other charsets and for odd multipart bodies.
_TYPE = re.compile(r'application/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)


def is_form(request: Request) -> bool:
    """Return whether the body is a form in UTF-8, of a size that our pages send, and without files."""
    length = request.content_length
    if length is None or length > LARGEST or not _TYPE.fullmatch(request.headers.get('Content-Type', '')):
        return False
    try:
        return all(isinstance(value, str) for value in request.POST.values())
    except ValueError:
        return False
