"""What is remembered of one directory."""

from dataclasses import dataclass

from ..model import Listing


@dataclass(frozen=True, slots=True)
class CachedListing:
    """A listing, or None for "there is no such directory".

    :param asked: when Egnyte was asked for it, UNIX time in seconds
    :param eras: the eras of the directory and of those above it at that time: when one of them is over, it is void
    """

    asked: float
    generations: tuple[str, ...]
    listing: Listing | None
