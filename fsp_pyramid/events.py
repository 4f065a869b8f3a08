"""What happened to files, for subscribers: ``config.add_subscriber(listener, FileStored)``.

Subscribers run inside of the request, before its transaction is committed. If one raises, or if the commit fails,
the change is taken back at Egnyte and the caller is told of the failure.
"""

from dataclasses import dataclass
from typing import Any

from .model import Entry
from .paths import Path


@dataclass(frozen=True, slots=True)
class FileSystemEvent:
    """The caller of *request* changed something. Subscribe to this one for all of them."""

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
