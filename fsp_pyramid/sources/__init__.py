"""The guarded download of a URL that somebody gave us. Knows nothing of Pyramid, of settings or of Egnyte."""

from .download import Source, download
from .errors import (
    SourceCompressed,
    SourceEmpty,
    SourceError,
    SourceInvalid,
    SourceRefused,
    SourceTooLarge,
    SourceTypeRefused,
    SourceUnavailable,
)
from .rules import Allowances
from .types import HEAD, TypePolicy, sniff, sniff_file, type_of_name

__all__ = [
    'HEAD',
    'Allowances',
    'Source',
    'SourceCompressed',
    'SourceEmpty',
    'SourceError',
    'SourceInvalid',
    'SourceRefused',
    'SourceTooLarge',
    'SourceTypeRefused',
    'SourceUnavailable',
    'TypePolicy',
    'download',
    'sniff',
    'sniff_file',
    'type_of_name',
]
