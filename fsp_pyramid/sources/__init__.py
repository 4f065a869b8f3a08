"""SSRF-safe download of a URL from outside. Independent of Pyramid, settings and Egnyte."""

from .address_policy import Allowances
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
from .type_policy import TypePolicy

__all__ = [
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
]
