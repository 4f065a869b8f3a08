"""What Egnyte says of files and folders, read leniently: sources disagree on some types and on what may be missing."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self


def milliseconds(value: Any) -> int:
    """A time as UNIX milliseconds; 0 for what is no time.

    Egnyte writes folder times as integers, file times as RFC 1123 text and others as ISO 8601; old captures quote the
    integers.
    """
    for read in (int, _rfc_1123, _iso_8601):
        try:
            return read(value)
        except (TypeError, ValueError):
            continue
    return 0


def _rfc_1123(value: Any) -> int:
    return int(parsedate_to_datetime(value).timestamp() * 1000)


def _iso_8601(value: Any) -> int:
    return int(datetime.fromisoformat(value).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class File:
    """A file's current version. *permission* is the caller's level, None where Egnyte did not tell."""

    path: str
    name: str
    file_id: str
    version_id: str
    size: int
    checksum: str
    modified: int
    permission: str | None

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From one item of ``files``, or from a file's own metadata."""
        return cls(
            path=data['path'],
            name=data['name'],
            file_id=data['group_id'],
            version_id=data['entry_id'],
            size=int(data.get('size', 0)),
            checksum=data.get('checksum', ''),
            modified=milliseconds(data.get('last_modified')),
            permission=data.get('permission'),
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. *total* counts the files and folders in it, 0 where that was not asked for."""

    path: str
    name: str
    folder_id: str
    modified: int
    permission: str | None
    total: int

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From one item of ``folders``, or from a folder's own metadata."""
        return cls(
            path=data['path'],
            name=data['name'],
            folder_id=data['folder_id'],
            modified=milliseconds(data.get('lastModified')),
            permission=data.get('permission'),
            total=int(data.get('total_count', 0)),
        )


@dataclass(frozen=True, slots=True)
class FolderListing:
    """A folder with all that is in it."""

    folder: Folder
    folders: tuple[Folder, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class TrashItem:
    """Something deleted. *item_id* is the trash's own, not a file's or folder's."""

    item_id: str
    path: str
    is_folder: bool
    deleted: int

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From one item of the trash listing (v2)."""
        return cls(
            item_id=str(data['id']),
            path=data['path'],
            is_folder=str(data.get('type', '')).lower() == 'folder',
            deleted=milliseconds(data.get('delete_date')),
        )


@dataclass(frozen=True, slots=True)
class User:
    """The user for whom a token speaks. Everything but *username* may be empty: old documentation stops there."""

    username: str
    first_name: str
    last_name: str
    email: str

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From ``userinfo``."""
        return cls(
            username=data['username'],
            first_name=data.get('first_name') or '',
            last_name=data.get('last_name') or '',
            email=data.get('email') or '',
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A change in the domain.

    :param paths: where it is, and for a move where it was
    :param is_folder: whether it may have changed more than one file
    :param file_id: '' for a folder, and where it is not told
    """

    id: int
    paths: tuple[str, ...]
    is_folder: bool
    file_id: str

    @classmethod
    def read(cls, item: dict[str, Any]) -> Self:
        """From one item of ``events``."""
        data = item.get('data') or {}
        return cls(
            id=int(item['id']),
            paths=tuple(data[name] for name in ('source_path', 'target_path') if data.get(name)),
            is_folder=bool(data.get('is_folder', True)),
            file_id='' if data.get('is_folder') else str(data.get('target_group_id') or ''),
        )
