"""Import from elsewhere: read templates, store their assets, rewrite their URLs. Knows no web framework."""

from .documents import Document, DocumentError
from .fetching import Rules
from .importer import Destination, ImportedDocument, Importer, LeftReference, Plan, Stopped, plan
from .policy import Left, Policy
from .references import Reference
from .state import Asset, State, StateError

__all__ = [
    'Asset',
    'Destination',
    'Document',
    'DocumentError',
    'ImportedDocument',
    'Importer',
    'Left',
    'LeftReference',
    'Plan',
    'Policy',
    'Reference',
    'Rules',
    'State',
    'StateError',
    'Stopped',
    'plan',
]
