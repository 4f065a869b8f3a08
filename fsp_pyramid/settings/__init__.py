"""Settings: ini text becomes a frozen object, or complaints that name their keys.

Keys, defaults and meanings are documented in ``docs/settings.rst``; a test compares it with :data:`SCHEMA`.
"""

import difflib
import itertools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import tzinfo
from typing import Any, Self

import colander
from pyramid.exceptions import ConfigurationError

from ..storage.mappings import OF_ACCOUNTS, parse_mappings
from .schema import (
    CLIENT_KEYS,
    KEYS,
    PREFIX,
    SCHEMA,
    SECRETS,
)
from .sections import (
    AccountsSettings,
    CacheSettings,
    ClientSettings,
    ConnectSettings,
    ConsoleSettings,
    EventsSettings,
    OpsSettings,
    PaceSettings,
    PublicSettings,
    ShutdownSettings,
    build,
    section,
)
from .server import VARIABLES as SERVER_VARIABLES
from .validators import refuse_ini_habits
from .variables import NO_SETTINGS

__all__ = [
    'CLIENT_KEYS',
    'KEYS',
    'SCHEMA',
    'ClientSettings',
    'Settings',
    'refuse_defaults',
    'unknown_variables',
    'variable',
]

CLIENT_PREFIX = f'{PREFIX}client.'
# Defaults of fsp.folders by fsp.accounts.mode. Ordinary users may not create folders directly below /Shared.
FOLDERS = {'token': parse_mappings('/ /Shared/Beefree/{uid}'), 'oauth': parse_mappings('/ {folder}')}


def _keyword(key: str) -> str:
    """Return the keyword of a setting: ``fsp.egnyte.max_wait`` -> ``egnyte_max_wait``."""
    return key.removeprefix(PREFIX).replace('.', '_')


def variable(key: str) -> str:
    """Return the environment variable of a setting: ``fsp.egnyte.max_wait`` -> ``FSP_EGNYTE_MAX_WAIT``."""
    return 'FSP_' + _keyword(key).upper()


# Names that begin like a setting, in any spelling: those of other add-ons go on with a letter or digit.
_OURS = re.compile(r'fsp(?![a-z0-9])', re.IGNORECASE)
# Names that other software gives to a setting, which are not similar to ours.
_SYNONYMS = {
    'egnyte_domain': 'fsp.egnyte.url',
    'egnyte_host': 'fsp.egnyte.url',
    'egnyte_base_url': 'fsp.egnyte.url',
    'user': 'fsp.username',
    'folder': 'fsp.folders',
}
# Two names with less in common mean different things, such as fsp.egnyte.domain and fsp.egnyte.token.
_LIKENESS = 0.8
_BY_KEYWORD = {_keyword(key): key for key in KEYS}


@section
class Settings:
    """Settings of an application, or of one of its mounts.

    :param clients: settings of each client by its name; a single client without a name if the ini file names none
    """

    clients: Mapping[str, ClientSettings]
    prefix: str
    language: str
    language_header: str
    timezone: tzinfo
    messages: Mapping[str, Mapping[str, str]]
    include_tm: bool
    threads: int
    shutdown: ShutdownSettings
    require_https: bool
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    public: PublicSettings
    connect: ConnectSettings
    ops: OpsSettings
    console: ConsoleSettings
    welcome: bool
    cache: CacheSettings
    pace: PaceSettings
    events: EventsSettings
    accounts: AccountsSettings

    @classmethod
    def parse(cls, ini: Mapping[str, Any], environ: Mapping[str, str] = os.environ, **overrides: Any) -> Self:
        """Return the settings in the ``fsp.`` keys of *ini*; other keys belong to the host application.

        A variable of *environ* wins over the ini, unless it is empty: ``FSP_EGNYTE_TOKEN`` for ``fsp.egnyte.token``.
        *overrides* win over both; their names have underscores for dots: ``egnyte_token``. Raises ConfigurationError,
        with all complaints at once.
        """
        texts = {key: value for key, value in ini.items() if _OURS.match(key)}
        texts |= _from_environment(KEYS, environ)
        texts |= {_BY_KEYWORD.get(name, PREFIX + name): value for name, value in overrides.items()}
        names = _names(texts)
        texts |= _from_environment(
            (f'{CLIENT_PREFIX}{name}.{_own(key)}' for name in names for key in CLIENT_KEYS), environ
        )
        values, shared, complaints = _parse_all(texts, names)
        if complaints:
            # Clients share the keys that they do not set themselves, and so the complaints about these.
            raise ConfigurationError(
                '\n'.join(('fsp_pyramid cannot start with these settings:', *dict.fromkeys(complaints)))
            )
        clients = {name: build(ClientSettings, own) for name, own in values.items()}
        return build(cls, {**shared, 'fsp.clients': clients})


def _parse_all(
    texts: Mapping[str, Any], names: list[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any], list[str]]:
    """Return the values of each client by key, those of the application, and all complaints."""
    shared = {key: value for key, value in texts.items() if not key.startswith(CLIENT_PREFIX)}
    complaints = _unknown_keys(texts, names)
    complaints += [
        f'  {key} belongs to one client: write {CLIENT_PREFIX}{names[0]}.{_own(key)}'
        for key in ('fsp.username', 'fsp.password')
        if names and shared.pop(key, None)
    ]
    clients = {}
    for name in names or ('',):
        values, wrong = _parse_client(shared, _of_client(texts, name), name)
        complaints += wrong
        if not wrong:
            clients[name] = values
    users = [values['fsp.username'] for values in clients.values()]
    complaints += [f'  two clients have the user name {user}' for user in set(users) if users.count(user) > 1]
    # All clients may have a language of their own, and the application needs one as well.
    application, faults = _values(shared)
    if text := faults.get('fsp.language'):
        complaints.append(text.format(key='fsp.language', variable=variable('fsp.language')))
    return clients, application, complaints


def _parse_client(shared: Mapping[str, Any], own: Mapping[str, Any], name: str) -> tuple[dict[str, Any], list[str]]:
    """Return the values of one client by key, and complaints that spell each key as this client has to write it."""
    values, wrong = _values({**shared, **own})
    wrong |= _cross_checks(values)

    def spelling(key: str) -> str:
        is_own = key in own or key in {'fsp.username', 'fsp.password'}
        return f'{CLIENT_PREFIX}{name}.{_own(key)}' if name and is_own else key

    if not wrong:
        values['fsp.folders'] = values['fsp.folders'] or FOLDERS[values['fsp.accounts.mode']]
    return values, [text.format(key=spelling(key), variable=variable(spelling(key))) for key, text in wrong.items()]


def refuse_defaults(global_config: Mapping[str, Any]) -> None:
    """Refuse our keys in ``[DEFAULT]``: PasteDeploy silently hides them from ``[app:main]``.

    Other names that begin with "fsp" are values that sections may refer to: ``fsp_port``.
    """
    found = sorted(key for key in global_config if key.startswith(PREFIX) or _plain(key) in _BY_KEYWORD)
    if found:
        wanted = [key if key.startswith(PREFIX) else f'{key} (as {_BY_KEYWORD[_plain(key)]})' for key in found]
        raise ConfigurationError(f'move {", ".join(wanted)} from [DEFAULT] to [app:main]: it has no effect where it is')


def _own(key: str) -> str:
    return key.removeprefix(PREFIX)


def _of_client(texts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the texts of a client's own keys, under the shared names of these keys."""
    prefix = f'{CLIENT_PREFIX}{name}.'
    return {PREFIX + key.removeprefix(prefix): value for key, value in texts.items() if key.startswith(prefix)}


def _from_environment(keys: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key in keys if (value := environ.get(variable(key), '')).strip()}


def _names(texts: Mapping[str, Any]) -> list[str]:
    """Return the names of clients."""
    return str(texts.get('fsp.clients') or '').replace(',', ' ').split()


def _known(names: Iterable[str]) -> set[str]:
    """Return the keys of all settings, including those of the clients."""
    return {*KEYS, *(f'{CLIENT_PREFIX}{name}.{_own(key)}' for name in names for key in CLIENT_KEYS)}


def unknown_variables(ini: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable with the name of an unknown setting. Values are not shown."""
    names = _names({**ini, **_from_environment(('fsp.clients',), environ)})
    known = _known(names)
    variables = {variable(key) for key in known} | set(SERVER_VARIABLES)
    return [
        f'the environment variable {name} is no setting{_hint_for_variable(name, known, names)}'
        for name in sorted(environ)
        if re.match('fsp[_.-]', name, re.IGNORECASE) and name not in variables | NO_SETTINGS
    ]


def _hint_for_variable(name: str, known: set[str], names: Sequence[str]) -> str:
    plain = _plain(name)
    client = re.match('client_([a-z0-9]+)', plain)
    if client and not any(plain.startswith(f'client_{found}_') for found in names):
        return f': there is no client {client[1]}; name it in fsp.clients'
    by_spelling = {_keyword(key): variable(key) for key in known}
    by_spelling |= {_plain(server): server for server in SERVER_VARIABLES}
    same_end = sorted((found for found in by_spelling if f'_{plain}'.endswith(f'_{found}')), key=len)
    near = by_spelling[same_end[-1]] if same_end else _nearest(plain, by_spelling)
    if not near and plain in _SYNONYMS:
        near = variable(_SYNONYMS[plain])
    return f'; did you mean {near}?' if near else ''


def _plain(name: str) -> str:
    """Return the keyword that a key or variable has or would have, however it is spelt; '' for other names."""
    return re.sub('[^a-z0-9]+', '_', name.lower()).removeprefix('fsp_') if _OURS.match(name) else ''


def _nearest(plain: str, by_spelling: Mapping[str, str]) -> str:
    """Return the value of the key that is similar to *plain*; '' if none is."""
    near = difflib.get_close_matches(plain, by_spelling, n=1, cutoff=_LIKENESS)
    return by_spelling[near[0]] if near else ''


def _unknown_keys(texts: Mapping[str, Any], names: list[str]) -> list[str]:
    """Return complaints about unknown keys."""
    known = _known(names)
    by_spelling = {_keyword(key): key for key in known}
    complaints = []
    for key in texts:
        if key in known:
            continue
        name, _, rest = key.removeprefix(CLIENT_PREFIX).partition('.')
        if key.startswith(CLIENT_PREFIX) and name not in names:
            complaints.append(f'  {key}: there is no client {name}; name it in fsp.clients')
        elif key.startswith(CLIENT_PREFIX) and PREFIX + rest in KEYS:
            complaints.append(f'  {key}: all clients share this, write {PREFIX}{rest}')
        else:
            near = _nearest(_plain(key), by_spelling) or _SYNONYMS.get(_plain(key), '')
            complaints.append(f'  {key}: there is no such setting{f"; did you mean {near}?" if near else ""}')
    return complaints


# Complaints are templates, because a client's own key and its variable have longer names.
_MISSING = '  {{key}} is missing{}: set it in the ini file, or in the environment variable {{variable}}'


def _values(texts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return valid values and complaints about the others, both by key."""
    values, complaints = {}, {}
    for node in SCHEMA:
        # A host that is configured in Python may have numbers and booleans. An empty value counts as missing, and the
        # line break at the end of a secret that was read from a file is stripped.
        given = texts.get(node.name)
        text = '' if given is None else str(given).strip()
        try:
            refuse_ini_habits(node, text)
            values[node.name] = node.deserialize(text or colander.null)
        except colander.Invalid as error:
            complaints[node.name] = _complaint(node.name, text, error)
    return values, complaints


def _complaint(key: str, text: str, error: colander.Invalid) -> str:
    if not text:
        return _MISSING.format('')
    # In a URL with an "@", the text before it may be a password.
    secret = key in SECRETS or (key.endswith('url') and '@' in text)
    shown = '' if secret else f' {" ".join(text.split())!r}'
    complaint = f'{shown} will not do: {"; ".join(error.messages())}'
    return '  {key}:' + complaint.replace('{', '{{').replace('}', '}}')


def _cross_checks(values: Mapping[str, Any]) -> dict[str, str]:
    """Return complaints about combinations of valid values, by key. Invalid values are not in *values*."""
    real = not values.get('fsp.egnyte.url', '').startswith('sandbox:')
    oauth = values.get('fsp.accounts.mode') == 'oauth'
    own_database = not values.get('fsp.accounts.session')
    needed = {
        'fsp.egnyte.token': real and not oauth and 'a real Egnyte needs it',
        'fsp.public.secret': real and 'a real Egnyte needs it',
        'fsp.accounts.keys': oauth and 'it encrypts the tokens of users',
        'fsp.database_url': own_database
        and (
            (oauth and 'it keeps the accounts of users')
            or (values.get('fsp.pace.backend') == 'database' and 'calls to Egnyte are counted there')
        ),
        'fsp.redis_url': 'redis' in (values.get('fsp.cache.backend'), values.get('fsp.pace.backend'))
        and 'a backend is "redis"',
        'fsp.public.cache_dir': values.get('fsp.public.sendfile') == 'nginx' and 'nginx sends what is kept there',
        'fsp.oauth.key': oauth and 'it names this application to Egnyte',
        'fsp.oauth.secret': oauth and 'it proves this application to Egnyte',
        'fsp.oauth.service_url': values.get('fsp.oauth.domain') == 'service' and 'users are sent there',
    }
    complaints = {
        key: _MISSING.format(f', and {why}') for key, why in needed.items() if why and not values.get(key, True)
    }
    if oauth and not real:
        complaints['fsp.egnyte.url'] = (
            '  {key}: users cannot open an embedded sandbox in their browsers; run fsp-sandbox and write its URL'
        )
    unknown = {name for mapping in values.get('fsp.folders') or () for name in mapping.placeholders & OF_ACCOUNTS}
    if unknown and not oauth:
        which = ' and '.join(f'{{{{{name}}}}}' for name in sorted(unknown))
        complaints['fsp.folders'] = (
            f'  {{key}}: {which} is known only where users connect accounts (fsp.accounts.mode = oauth)'
        )
    elsewhere = [values.get(f'fsp.{name}', '') for name in ('prefix', 'connect.prefix', 'ops.prefix', 'console.prefix')]
    if found := next((path for path in elsewhere if path and values.get('fsp.public.base_url', '').endswith(path)), ''):
        complaints['fsp.public.base_url'] = (
            f'  {{key}} ends with {found}, and public files are not served there: write the URL of fsp.public.prefix'
        )
    prefixes = [(key, values[key]) for key in KEYS if key.endswith('prefix') and key in values]
    for (one, path), (other, longer) in itertools.permutations(prefixes, 2):
        if longer.startswith(f'{path}/') or (path == longer and one < other):
            complaints[one] = f'  {{key}} = {path} and {other} = {longer} overlap: neither may begin with the other'
    return complaints
