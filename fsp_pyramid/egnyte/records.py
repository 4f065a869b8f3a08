"""Records in Egnyte's answers, parsed leniently: documents disagree on some types and on optional fields."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from .times import http_date, iso_date

# Databases and dates of the callers end here; greater numbers come from others than Egnyte.
LARGEST_SIZE = 2**63 - 1
LATEST = 253_402_300_799_999  # the last millisecond of the year 9999


def milliseconds(value: Any) -> int:
    """Return a time as UNIX milliseconds; 0 for a value that is no time.

    Egnyte writes folder times as integers, file times as RFC 1123 text and others as ISO 8601; old captures have the
    integers in quotes.
    """
    is_text = isinstance(value, str)
    if not (is_text and value.endswith('GMT')):  # the usual date: the exception would take as long as to read it
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            return number if 0 <= number <= LATEST else 0
    for read in (http_date, iso_date) if is_text else ():
        try:
            return int(read(value) * 1000)
        except ValueError:
            continue
    return 0


def text(data: dict[str, Any], key: str) -> str:
    """Return a mandatory text. Raises KeyError or TypeError for an answer that is not Egnyte's."""
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f'{key} is no text')
    return _encodable(value)


def _encodable(value: str) -> str:
    """Replace halves of pairs of surrogates, which JSON may contain and no database or URL does."""
    return value if value.isascii() else value.encode('utf-8', 'replace').decode()


def size(value: Any) -> int:
    """Return a size in bytes, 0 for a missing one. Raises ValueError or TypeError for a value that is no size."""
    number = int(value or 0)
    if not 0 <= number <= LARGEST_SIZE:
        raise ValueError('the size is out of range')
    return number


def _text_or_none(value: Any) -> str | None:
    return _encodable(value) if isinstance(value, str) else None


class File(NamedTuple):
    """Current version of a file. *permission* is the caller's level, None if the answer does not tell it."""

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
        """Parse an item of ``files``, or a file's own metadata."""
        return cls(
            path=text(data, 'path'),
            name=text(data, 'name'),
            file_id=text(data, 'group_id'),
            version_id=text(data, 'entry_id'),
            size=size(data.get('size')),
            checksum=_text_or_none(data.get('checksum')) or '',
            modified=milliseconds(data.get('last_modified')),
            permission=_text_or_none(data.get('permission')),
            locked=bool(data.get('locked')),
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """Folder. *total* counts the files and folders in it, 0 if the request did not ask for it.

    :param created: UNIX milliseconds; 0 if the answer does not tell it
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
        """Parse an item of ``folders``, or a folder's own metadata."""
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
    """Page of a folder's items, and the total number of items at that time."""

    folder: Folder
    items: tuple[Folder | File, ...]

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """Parse a folder's metadata with its content."""
        folders = (Folder.read(item) for item in data.get('folders') or ())
        return cls(Folder.read(data), (*folders, *(File.read(item) for item in data.get('files') or ())))


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Folder with all its items."""

    folder: Folder
    folders: tuple[Folder, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class TrashItem:
    """Deleted file or folder. *item_id* is the trash's own, not the id of the file or folder."""

    item_id: str
    path: str
    is_folder: bool
    deleted: int

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """Parse an item of the trash listing (v2)."""
        return cls(
            item_id=str(data['id']),
            path=text(data, 'path'),
            is_folder=str(data.get('type', '')).lower() == 'folder',
            deleted=milliseconds(data.get('delete_date')),
        )


@dataclass(frozen=True, slots=True)
class User:
    """User of a token. All but *username* may be empty: old documentation has nothing else."""

    username: str
    first_name: str
    last_name: str
    email: str

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """Parse an answer of ``userinfo``."""
        return cls(
            username=text(data, 'username'),
            first_name=_text_or_none(data.get('first_name')) or '',
            last_name=_text_or_none(data.get('last_name')) or '',
            email=_text_or_none(data.get('email')) or '',
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Change in the domain.

    :param paths: path of the changed item; for a move, the source and the target
    :param is_folder: whether it may have changed more than one file
    :param file_id: '' for a folder, and if the event does not tell it
    """

    id: int
    paths: tuple[str, ...]
    is_folder: bool
    file_id: str

    @classmethod
    def read(cls, item: dict[str, Any]) -> Self:
        """Parse an item of ``events``."""
        data = item.get('data') or {}
        return cls(
            id=int(item['id']),
            paths=tuple(data[name] for name in ('source_path', 'target_path') if data.get(name)),
            is_folder=bool(data.get('is_folder', True)),
            file_id='' if data.get('is_folder') else str(data.get('target_group_id') or ''),
        )
