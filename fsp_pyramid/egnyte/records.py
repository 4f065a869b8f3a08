"""What Egnyte says of files and folders, read leniently: sources disagree on some types and on what may be missing."""

from dataclasses import dataclass
from typing import Any, Self

from .times import http_date, iso_date


def milliseconds(value: Any) -> int:
    """A time as UNIX milliseconds; 0 for what is no time.

    Egnyte writes folder times as integers, file times as RFC 1123 text and others as ISO 8601; old captures quote the
    integers.
    """
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    for read in (http_date, iso_date) if isinstance(value, str) else ():
        try:
            return int(read(value) * 1000)
        except ValueError:
            continue
    return 0


def text(data: dict[str, Any], key: str) -> str:
    """Return a text that must be there. Raises KeyError or TypeError: it is not Egnyte's, then."""
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f'{key} is no text')
    return value


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


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
    locked: bool

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From one item of ``files``, or from a file's own metadata."""
        return cls(
            path=text(data, 'path'),
            name=text(data, 'name'),
            file_id=text(data, 'group_id'),
            version_id=text(data, 'entry_id'),
            size=int(data.get('size') or 0),
            checksum=_text_or_none(data.get('checksum')) or '',
            modified=milliseconds(data.get('last_modified')),
            permission=_text_or_none(data.get('permission')),
            locked=bool(data.get('locked')),
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. *total* counts the files and folders in it, 0 where that was not asked for.

    :param created: UNIX milliseconds; 0 where Egnyte did not tell
    """

    path: str
    name: str
    folder_id: str
    modified: int
    permission: str | None
    total: int
    created: int

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From one item of ``folders``, or from a folder's own metadata."""
        return cls(
            path=text(data, 'path'),
            name=text(data, 'name'),
            folder_id=text(data, 'folder_id'),
            modified=milliseconds(data.get('lastModified')),
            permission=_text_or_none(data.get('permission')),
            total=int(data.get('total_count') or 0),
            created=milliseconds(data.get('uploaded')),
        )


@dataclass(frozen=True, slots=True)
class ListingPage:
    """A part of a folder's items, and the number of all of them when it was asked for."""

    folder: Folder
    items: tuple[Folder | File, ...]

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From a folder's metadata with its content."""
        folders = (Folder.read(item) for item in data.get('folders') or ())
        return cls(Folder.read(data), (*folders, *(File.read(item) for item in data.get('files') or ())))


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
            path=text(data, 'path'),
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
            username=text(data, 'username'),
            first_name=_text_or_none(data.get('first_name')) or '',
            last_name=_text_or_none(data.get('last_name')) or '',
            email=_text_or_none(data.get('email')) or '',
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
