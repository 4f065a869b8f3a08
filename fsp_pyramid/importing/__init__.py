"""Import from elsewhere: read templates, store their assets, rewrite their URLs. Knows no web framework."""

from .documents import Document, DocumentError
from .references import Reference

__all__ = ['Document', 'DocumentError', 'Reference']
