"""The guarded download of a URL that somebody gave us. Knows nothing of Pyramid, of settings or of Egnyte."""

from .download import Source, download
from .errors import (
    SourceEmpty,
    SourceError,
    SourceInvalid,
    SourceRefused,
    SourceTooLarge,
    SourceTypeRefused,
    SourceUnavailable,
)
from .rules import Allowances
from .types import TypePolicy, type_of_name

__all__ = [
    'Allowances',
    'Source',
    'SourceEmpty',
    'SourceError',
    'SourceInvalid',
    'SourceRefused',
    'SourceTooLarge',
    'SourceTypeRefused',
    'SourceUnavailable',
    'TypePolicy',
    'download',
    'type_of_name',
]
