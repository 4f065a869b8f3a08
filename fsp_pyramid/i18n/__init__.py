"""Texts for users, in their languages.

:func:`_` makes a text where it is known, with values and in English; a :class:`Translator` makes it readable where the
answer is written. Log lines, complaints about settings and the output of commands stay English: :func:`english`.
Catalogs are in ``fsp_pyramid/locale``; see docs/languages.rst.
"""

from .strings import DOMAIN, Duration, Size, _, with_value
from .translator import Translator, english

__all__ = ['DOMAIN', 'Duration', 'Size', 'Translator', '_', 'english', 'with_value']
