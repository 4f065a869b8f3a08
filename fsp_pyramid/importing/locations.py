"""Locations that a command names: files, directories, other file systems and providers, and what they contain."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path as FilePath
from typing import Any, BinaryIO, NamedTuple

from ..media_types import UNKNOWN, type_by_suffix
from ..paths import Path
from ..settings.variables import IMPORT_PASSWORD, IMPORT_USERNAME
from ..sources import SourceError
from .documents import LISTS, TEMPLATES
from .fetching import open_file
from .providers import BEEFREE_URL, Provider, RemoteFile

BEEFREE_KEY = 'BEEFREE_FILE_API_KEY'


class LocationError(Exception):
    """A location cannot be read; the message names it and says what to do."""


class DocumentFile(NamedTuple):
    """A document of the disk.

    :param path: of the file
    :param output: where it is written to, below the directory of the results
    """

    path: FilePath
    output: FilePath


class AssetSource(NamedTuple):
    """An asset that no document names.

    :param source: URL or path
    :param below: its directories below the location
    """

    source: str
    below: Path = ()


@dataclass
class Found:
    """Contents of the locations."""

    documents: list[DocumentFile] = field(default_factory=list)
    assets: list[AssetSource] = field(default_factory=list)


def resolve(locations: Iterable[str], environ: Mapping[str, str], client_id: str, uid: str) -> Found:
    """Return what is at *locations*. Providers and other file systems are listed.

    :param environ: variables with credentials
    :param client_id: for providers
    :param uid: for providers

    Raises LocationError, ProviderError.
    """
    found = Found()
    for location in locations:
        if location.startswith('fsp:'):
            found.assets += _provided(_provider(location, environ, client_id, uid).walk())
        elif location.startswith('beefree:'):
            top = f'/{location.removeprefix("beefree:").strip("/")}/'.replace('//', '/')
            found.assets += _provided(_beefree(environ, uid).walk(top))
        elif location.startswith(('http://', 'https://')):
            found.assets.append(AssetSource(location))
        elif '://' in location:
            found.assets += _list_file_system(location)
        else:
            _add_local(found, FilePath(location))
    _check_outputs(found.documents)
    return found


def _add_local(found: Found, path: FilePath) -> None:
    if path.is_dir():
        for file in sorted(path.rglob('*')):
            relative = file.relative_to(path)
            if not file.is_file() or any(name.startswith('.') for name in relative.parts):
                continue
            if file.suffix.lower() in TEMPLATES:
                found.documents.append(DocumentFile(file, relative))
            elif _is_asset(file.name):
                found.assets.append(AssetSource(str(file.resolve()), relative.parts[:-1]))
    elif not path.is_file():
        raise LocationError(f'There is no file or directory {path}.')
    elif path.suffix.lower() in TEMPLATES | LISTS:
        found.documents.append(DocumentFile(path, FilePath(path.name)))
    else:
        found.assets.append(AssetSource(str(path.resolve())))


def _is_asset(name: str) -> bool:
    """Return whether a file in a directory is one to import: fonts, style sheets and scripts belong to templates."""
    type_ = type_by_suffix(name) or UNKNOWN
    if type_ in {UNKNOWN, 'application/vnd.ms-fontobject'}:
        return False
    return any(fnmatchcase(type_, glob) for glob in ('image/*', 'video/*', 'audio/*', 'application/*'))


def _check_outputs(documents: Iterable[DocumentFile]) -> None:
    outputs: dict[FilePath, FilePath] = {}
    for document in documents:
        other = outputs.setdefault(document.output, document.path)
        if other != document.path:
            raise LocationError(
                f'{other} and {document.path} would both be written as {document.output}. Import them one by one, with '
                'an --out for each.'
            )


def _provider(location: str, environ: Mapping[str, str], client_id: str, uid: str) -> Provider:
    url = location.removeprefix('fsp:')
    if not url.startswith(('http://', 'https://')) or '@' in url:
        raise LocationError(
            f'Write fsp:https://HOST/BASE for a provider, its credentials into {IMPORT_USERNAME}, {IMPORT_PASSWORD}.'
        )
    if IMPORT_USERNAME not in environ or IMPORT_PASSWORD not in environ:
        raise LocationError(f'{location} needs credentials: set {IMPORT_USERNAME} and {IMPORT_PASSWORD}.')
    credentials = (environ[IMPORT_USERNAME].encode(), environ[IMPORT_PASSWORD].encode())
    return Provider(url, {'X-BEE-ClientId': client_id, 'X-BEE-Uid': uid}, credentials)


def _beefree(environ: Mapping[str, str], uid: str) -> Provider:
    if BEEFREE_KEY not in environ:
        raise LocationError(f"Beefree's file API needs a key: set {BEEFREE_KEY}.")
    return Provider(BEEFREE_URL, {'Authorization': f'Bearer {environ[BEEFREE_KEY]}', 'X-BEE-Uid': uid})


def _provided(files: Iterable[RemoteFile]) -> Iterator[AssetSource]:
    for file in files:
        yield AssetSource(file.url, file.path[:-1])


# Other file systems, by fsspec


def _list_file_system(location: str) -> Iterator[AssetSource]:
    system, root = _file_system(location)
    try:
        names = system.find(root)
    except Exception as error:  # of any file system
        raise LocationError(f'{location} cannot be listed: {type(error).__name__}: {error}') from error
    if not names:
        raise LocationError(f'{location} has no files.')
    for name in names:
        below = name.removeprefix(root).strip('/').split('/')[:-1]
        yield AssetSource(system.unstrip_protocol(name), tuple(below))


def _file_system(location: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise LocationError(f'{location} needs more packages: pip install "fsp-pyramid[import]" ({error})') from error
    try:
        return url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise LocationError(f'{location} cannot be opened: {error}') from error


def open_location(source: str) -> AbstractContextManager[BinaryIO]:
    """Open a file of the disk or of another file system. Raises SourceError."""
    return _open_remote(source) if '://' in source else open_file(source)


@contextmanager
def _open_remote(source: str) -> Iterator[BinaryIO]:
    system, name = _file_system(source)
    try:
        file = system.open(name, 'rb')
    except Exception as error:  # of any file system
        raise SourceError('The file cannot be read.', f'{type(error).__name__}: {error}') from error
    with file:
        yield file
