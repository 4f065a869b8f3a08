"""Resolution of name conflicts: pure functions of a listing, called while its directory is locked."""

import os
import secrets
from itertools import count

from ..errors import (
    Conflict,
    DirectoryInTheWay,
    FSPError,
    NameTaken,
)
from ..i18n import _
from ..model import Entry, Listing, Strategy
from ..paths import fold
from .name_rules import MAX_NAME_BYTES

# Longer ones stand for no type.
MAX_EXTENSION_BYTES = 32


def resolve_conflict(
    listing: Listing, name: str, strategy: Strategy, exclusive: bool = True
) -> tuple[str, Entry | None]:
    """Return the name for a new file in the listed directory, and the file that it replaces, if any.

    *exclusive* is False if other processes may choose a name at the same time: KEEP takes an unguessable name then.

    Raises Conflict (ASK), NameTaken (REFUSE), and DirectoryInTheWay where a directory has the name, unless KEEP.
    """
    if strategy is Strategy.KEEP and not exclusive:
        return unguessable_name(name), None
    taken = listing.find(name)
    if taken is None:
        return name, None
    if strategy is Strategy.KEEP:
        return free_name(listing, name), None
    if taken.is_directory:
        raise DirectoryInTheWay(
            _(
                'directory-in-the-way',
                'There is a folder called "${name}" here. Rename the file, or keep both.',
                name=taken.name,
            )
        )
    if strategy is Strategy.REPLACE:
        return taken.name, taken
    raise name_taken(taken, strategy)


def overwritten(listing: Listing, stored: Entry, strategy: Strategy) -> Entry | None:
    """Return the listed file of which a new file became a version; None for REPLACE, which asks for that.

    Egnyte may take two names for one that we do not, or the file has been renamed since it was listed.
    """
    if strategy is Strategy.REPLACE:
        return None
    return next((item for item in listing.items if item.id == stored.id), None)


def name_taken(taken: Entry, strategy: Strategy) -> FSPError:
    """Return the error for a name that is taken: Conflict for ASK, else NameTaken."""
    if taken.is_directory:
        details = _(
            'folder-exists', 'There is a folder called "${name}" here already. Choose another name.', name=taken.name
        )
    else:
        details = _(
            'file-exists', 'There is a file called "${name}" here already. Choose another name.', name=taken.name
        )
    return (Conflict if strategy is Strategy.ASK else NameTaken)(details)


def free_name(listing: Listing, name: str) -> str:
    """Return ``pizza_1.jpg`` for ``pizza.jpg``, or the next number that no item of *listing* has."""
    taken = {fold(item.name) for item in listing.items}
    stem, extension = _split(name)
    for number in count(1):
        tail = f'_{number}{extension}'
        candidate = _shortened(stem, MAX_NAME_BYTES - len(tail.encode())) + tail
        if fold(candidate) not in taken:
            return candidate
    raise AssertionError('numbers do not end')


def unguessable_name(name: str) -> str:
    """Return ``pizza_3f9c2a1b.jpg`` for ``pizza.jpg``: a name that no other process takes at the same time."""
    stem, extension = _split(name)
    tail = f'_{secrets.token_hex(4)}{extension}'
    return _shortened(stem, MAX_NAME_BYTES - len(tail.encode())) + tail


def _split(name: str) -> tuple[str, str]:
    """Return stem and extension. A long one is part of the stem, which is shortened where a number needs the room."""
    stem, extension = os.path.splitext(name)
    return (stem, extension) if len(extension.encode()) <= MAX_EXTENSION_BYTES else (name, '')


def _shortened(stem: str, size: int) -> str:
    return stem.encode()[: max(size, 0)].decode(errors='ignore')
