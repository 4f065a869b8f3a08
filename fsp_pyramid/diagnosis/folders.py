"""Mapped folders at Egnyte: there, of the right kind, and writable or read-only as configured."""

from collections.abc import Sequence
from itertools import takewhile
from urllib.parse import quote

import requests

from .. import egnyte
from ..egnyte.errors import from_response
from ..egnyte.provenance import MALFORMED, json_object
from ..egnyte.transport import succeeded
from ..model import Access
from ..paths import Path, key
from ..storage.egnyte import access_of
from ..storage.mappings import FolderMapping
from .calls import Caller
from .installation import Client
from .model import Result, failure, ok, skipped, warning


def fixed_part(mapping: FolderMapping) -> Path:
    """Return the folder without the part that depends on the user."""
    return tuple(takewhile(lambda name: '{' not in name, mapping.folder))


def distinct(clients: Sequence[Client]) -> dict[tuple[Path, bool], tuple[Client, FolderMapping]]:
    """Return the mappings whose folders need a call each: one for each folder and kind of access."""
    found: dict[tuple[Path, bool], tuple[Client, FolderMapping]] = {}
    for client in clients:
        for mapping in client.settings.folders:
            if folder := fixed_part(mapping):
                found.setdefault((key(folder), mapping.read_only or client.settings.read_only), (client, mapping))
    return found


def check(caller: Caller, client: Client, mapping: FolderMapping, username: str) -> Result:
    """Check one folder, with one call."""
    path = '/' + '/'.join(fixed_part(mapping))
    subject = f'{client.label} {"/" + "".join(f"{name}/" for name in mapping.directory)}'
    try:
        response = caller.call(
            'GET', f'/pubapi/v1/fs{quote(path)}', params={'list_content': 'false', 'include_perm': 'true'}
        )
        if succeeded(response):
            return _found(response, client, mapping, path, subject)
        raise from_response(response, 'GET')
    except egnyte.NotFound:
        return _missing(client, mapping, path, subject, username)
    except egnyte.Throttled:
        return skipped('folders.access', 'Egnyte allows no call at the moment', subject)
    except egnyte.Forbidden:
        return failure('folders.access', f'{username} may not see {path}', f'give {username} access to it', subject)
    except (egnyte.EgnyteError, *MALFORMED) as error:
        text = str(error) if isinstance(error, egnyte.EgnyteError) else type(error).__name__
        return failure('folders.access', f'{path}: no answer of Egnyte: {text}', 'try again', subject)


def _found(response: requests.Response, client: Client, mapping: FolderMapping, path: str, subject: str) -> Result:
    data = json_object(response)
    if str(data.get('is_folder')).lower() != 'true':
        return failure('folders.access', f'{path} is a file', 'name a folder in fsp.folders', subject)
    level = data.get('permission')
    text = f'{path} is there, with the permission {level}' if level else f'{path} is there; Egnyte tells no permission'
    may_write = access_of(level) >= Access.EDIT
    if mapping.read_only or client.settings.read_only:
        return ok('folders.access', f'{text}; read-only here, as configured', subject)
    if not may_write:
        return failure(
            'folders.access',
            f'{text}: nothing can be uploaded',
            'give the user Editor or Full, or write ro behind the folder',
            subject,
        )
    if fixed_part(mapping) == ('Shared',) and mapping.placeholders:
        return warning(
            'folders.access',
            f'{text}; ordinary users may not create folders directly below it',
            'use a folder below /Shared: /Shared/Beefree/{uid}',
            subject,
        )
    return ok('folders.access', text, subject)


def _missing(client: Client, mapping: FolderMapping, path: str, subject: str, username: str) -> Result:
    if path.lower().startswith('/private/') and f'{path}/'.lower().split('/')[2] != username.lower():
        return failure(
            'folders.access',
            f'{path} is the space of another user than {username}',
            f'write /Private/{username}, or use the token of its user',
            subject,
        )
    if mapping.read_only or client.settings.read_only:
        return failure(
            'folders.access',
            f'{path} is not there, or {username} may not see it: users see an empty read-only directory',
            'create it, or correct fsp.folders',
            subject,
        )
    return warning(
        'folders.access',
        f'{path} is not there, or {username} may not see it; the first upload creates it if the user may',
        'create it, or correct fsp.folders',
        subject,
    )
