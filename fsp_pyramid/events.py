"""Events of changes to files: ``config.add_subscriber(listener, FileStored)``.

Subscribers run inside of the request, before its transaction is committed. If one raises, or if the commit fails, the
change is rolled back at Egnyte and the caller gets an error.
"""

from dataclasses import dataclass
from typing import Any

from zope.interface import implementedBy

from .model import Entry
from .paths import Path


@dataclass(frozen=True, slots=True)
class FileSystemEvent:
    """Base of all events: the caller of *request* made a change. Subscribe to it for all events."""

    request: Any


@dataclass(frozen=True, slots=True)
class DirectoryCreated(FileSystemEvent):
    """A directory was created."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class DirectoryDeleted(FileSystemEvent):
    """An empty directory was deleted."""

    path: Path


@dataclass(frozen=True, slots=True)
class FileStored(FileSystemEvent):
    """A file was uploaded: a new one, or a new version."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class FileDeleted(FileSystemEvent):
    """A file was deleted."""

    path: Path


@dataclass(frozen=True, slots=True)
class FileMoved(FileSystemEvent):
    """A file was moved from *path* to the entry's."""

    path: Path
    entry: Entry


# zope.interface makes the specification of a class when it is first used. If two threads do so at once, its instances
# keep one and the class the other, and subscribers that are registered later are not called (zope.interface 8.7).
for _event in (DirectoryCreated, DirectoryDeleted, FileStored, FileDeleted, FileMoved):
    implementedBy(_event)
