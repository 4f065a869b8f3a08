"""Settings: combinations that are valid one by one and wrong together."""

import itertools
from collections import defaultdict
from collections.abc import Iterator

from ..paths import Path, key
from ..settings import unknown_variables
from ..storage.mappings import FolderMapping
from .installation import Client, Installation
from .model import Result, failure, ok, skipped, warning

MODES = {'token': 'one token for all users', 'oauth': 'an account for each user'}


def check_settings(installation: Installation) -> Iterator[Result]:
    """Report that the settings are valid: they were parsed."""
    clients = len(installation.clients)
    yield ok('settings.valid', f'valid, for {clients} client{"s" * (clients > 1)}')


def check_variables(installation: Installation) -> Iterator[Result]:
    """Find variables of the environment that look like settings and are none."""
    unknown = unknown_variables(installation.ini, installation.environ)
    for text in unknown:
        yield warning('settings.variables', text, 'correct its name, or remove it')
    if not unknown:
        yield ok('settings.variables', 'every variable that begins with FSP_ is a setting')


def check_modes(installation: Installation) -> Iterator[Result]:
    """Compare the mode of accounts with the folders of each client."""
    for client in installation.clients:
        mode = client.settings.accounts.mode
        writable = [mapping for mapping in client.settings.folders if not _is_read_only(client, mapping)]
        if client.settings.disabled:
            yield warning(
                'settings.mode', 'the client is disabled', 'remove disabled to let its users in', client.label
            )
        elif mode == 'token' and writable and not any(mapping.placeholders for mapping in writable):
            found = f'{MODES[mode]}, and no folder has a placeholder: all users share all files'
            yield warning(
                'settings.mode', found, 'write {uid} into fsp.folders if users have files of their own', client.label
            )
        elif mode == 'oauth' and client.settings.egnyte.token:
            found = f'{MODES[mode]}, and fsp.egnyte.token has no effect'
            yield warning('settings.mode', found, 'remove fsp.egnyte.token', client.label)
        else:
            yield ok('settings.mode', MODES[mode], client.label)


def _is_read_only(client: Client, mapping: FolderMapping) -> bool:
    return mapping.read_only or client.settings.read_only


def check_folders(installation: Installation) -> Iterator[Result]:
    """Find mappings that open to some users what belongs to others."""
    found = False
    for client in installation.clients:
        for outer, inner in itertools.permutations(client.settings.folders, 2):
            text = _overlap(client, outer, inner)
            if text:
                found = True
                yield warning('settings.folders', text, 'choose folders that do not contain each other', client.label)
    for text in _shared_by_clients(installation):
        found = True
        yield warning('settings.folders', text, 'write {client_id} into their folders, or choose different ones')
    if not found:
        yield ok('settings.folders', 'no mapping opens the folder of another one')


def _overlap(client: Client, outer: FolderMapping, inner: FolderMapping) -> str:
    """Return what is wrong with two mappings of which *outer* may contain the folder of *inner*; '' for nothing."""
    one, other = key(outer.folder), key(inner.folder)
    if other[: len(one)] != one:
        return ''
    paths = f'{_directory(outer)} and {_directory(inner)}'
    rest = '/'.join(inner.folder[len(one) :])
    if '{' in rest:
        return f'{paths}: {_directory(outer)} shows the folders of all users, because it contains {_folder(inner)}'
    if _is_read_only(client, outer) != _is_read_only(client, inner):
        return f'{paths} lead to {_folder(inner)}, of which one is read-only and the other is not'
    return ''


def _directory(mapping: FolderMapping) -> str:
    return f'/{"".join(f"{name}/" for name in mapping.directory)}'


def _folder(mapping: FolderMapping) -> str:
    return '/' + '/'.join(mapping.folder)


def _shared_by_clients(installation: Installation) -> Iterator[str]:
    """Give a text for each folder of users that two clients would share."""
    labels: dict[tuple[str, Path], list[str]] = defaultdict(list)
    for client in installation.clients:
        own = client.settings
        for mapping in own.folders:
            if own.accounts.mode == 'oauth' or mapping.placeholders != {'uid'}:
                continue
            if len(own.client_ids) > 1:
                yield f'{_folder(mapping)}: a uid of one client id has the files of that uid of the others'
            sharing = labels[own.egnyte.url, key(mapping.folder)]
            sharing.append(client.label)
            if len(sharing) == 2:
                yield f'{_folder(mapping)}: a uid of {sharing[0]} has the files of that uid of {sharing[1]}'


def check_processes(installation: Installation) -> Iterator[Result]:
    """Compare the number of processes with the backends that they share."""
    settings, processes = installation.settings, installation.processes
    backends = {'fsp.cache.backend': settings.cache.backend, 'fsp.pace.backend': settings.pace.backend}
    memory = [name for name, backend in backends.items() if backend == 'memory']
    if processes > 1 and memory:
        found = f'{processes} processes, and {" and ".join(memory)} = memory: each has state of its own'
        yield warning('settings.processes', found, 'set fsp.redis_url, and both backends to redis')
    elif settings.redis_url and len(memory) == len(backends):
        yield warning(
            'settings.processes',
            'fsp.redis_url has no effect: both backends are memory',
            'set fsp.cache.backend and fsp.pace.backend to redis, or remove it',
        )
    elif memory:
        yield ok('settings.processes', f'{" and ".join(memory)} = memory, which is right for a single process')
    else:
        yield ok('settings.processes', 'processes share listings, locks and the count of calls')
    if processes > 1 and settings.database_url.startswith('sqlite') and settings.pace.backend == 'database':
        yield warning(
            'settings.processes',
            'several processes count calls in SQLite, which is for one machine',
            'use PostgreSQL or Redis for several machines',
        )


def check_timeouts(installation: Installation) -> Iterator[Result]:
    """Compare what a request may take with the time-out of the proxy."""
    if not installation.is_behind_proxy:
        yield skipped('settings.timeouts', 'no proxy is configured')
        return
    limit, origin = installation.proxy.timeout, 'its time-out' if installation.proxy.is_told else 'the usual time-out'
    for client in installation.clients:
        egnyte, download = client.settings.egnyte, client.settings.sources.timeout
        total = egnyte.max_wait + download + egnyte.timeout
        if egnyte.max_wait >= limit:
            found = f'fsp.egnyte.max_wait is {egnyte.max_wait:g} s; the proxy gives up after {limit:g} s ({origin})'
            yield failure('settings.timeouts', found, 'lower it, or raise proxy_read_timeout', client.label)
        elif total > limit:
            found = (
                f'an upload may take {total:g} s (max_wait + sources.timeout + egnyte.timeout); '
                f'the proxy gives up after {limit:g} s ({origin})'
            )
            yield warning('settings.timeouts', found, f'set proxy_read_timeout to more than {total:g} s', client.label)
        else:
            found = f'an upload may take {total:g} s, the proxy waits for {limit:g} s ({origin})'
            yield ok('settings.timeouts', found, client.label)


def check_https(installation: Installation) -> Iterator[Result]:
    """Check that passwords travel encrypted."""
    if installation.settings.require_https:
        yield ok('settings.https', 'requests without TLS are refused')
    elif installation.is_sandbox or installation.is_local:
        yield ok('settings.https', 'fsp.require_https = false, for a sandbox or on this machine only')
    else:
        yield warning(
            'settings.https',
            'fsp.require_https = false: passwords may travel unencrypted',
            'set it to true, behind a proxy with TLS',
        )


CHECKS = (check_settings, check_variables, check_modes, check_folders, check_processes, check_timeouts, check_https)
