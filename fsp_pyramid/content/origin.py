"""Origin of a public file: the interface through which the content cache reaches Egnyte."""

from typing import Protocol, Self

from ..egnyte import Priority
from ..model import Download, Entry


class Origin(Protocol):
    """One file at Egnyte, as an account sees it.

    Each of its calls may raise NotFound, Forbidden and the errors of accounts and Egnyte.
    """

    @property
    def domain(self) -> str:
        """Name of the Egnyte, within which the id of a file is unique."""

    @property
    def account(self) -> str:
        """Key of the account."""

    @property
    def file_id(self) -> str:
        """Id of the file."""

    def open(self, priority: Priority) -> Download:
        """Open the content of the current version: one call."""

    def stat(self) -> Entry:
        """Look up the current version, at the lowest priority: one call. The observer of the account records it."""

    def background(self) -> Self:
        """Return the same origin for use after the end of the visitor's request, and in other threads."""
