"""The settings: ini text becomes one frozen object, and every complaint names its key.

Keys, defaults and meanings are documented in ``docs/settings.rst``, which a test holds against :data:`SCHEMA`.
"""

import difflib
import itertools
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import colander
from pyramid.exceptions import ConfigurationError

from .sources import Allowances, TypePolicy
from .storage.mounts import FolderMount, parse_mounts

PREFIX = 'fsp.'
_UNITS = {'B': 1, 'KB': 1 << 10, 'MB': 1 << 20, 'GB': 1 << 30}
_BOOLEANS = dict.fromkeys(('true', 'yes', 'on', '1'), True) | dict.fromkeys(('false', 'no', 'off', '0'), False)
_DAY, _YEAR = 86400, 31536000


class Parsed(colander.SchemaType):
    """What a function makes of the text; its ValueErrors are complaints."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def deserialize(self, node: colander.SchemaNode, cstruct: Any) -> Any:
        """The function's result; null stays null, as colander wants it."""
        if cstruct is colander.null:
            return cstruct
        try:
            return self._parse(cstruct)
        except ValueError as error:
            raise colander.Invalid(node, str(error)) from None


def _size(text: str) -> int:
    """``20 MB`` as a number of bytes; the units are binary."""
    match = re.fullmatch(r'(\d+)\s*([KMG]?B)?', text.strip().upper())
    if not match or not int(match[1]):
        raise ValueError('write a number with B, KB, MB or GB, such as "20 MB"')
    return int(match[1]) * _UNITS[match[2] or 'B']


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError('write true or false') from None


def _seconds(least: float, most: int, number: Callable[[str], float] = float) -> Parsed:
    """The type of a number of seconds within bounds."""

    def parse(text: str) -> float:
        try:
            value = number(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:  # true for what is no number, too
            raise ValueError(f'write a {"whole " * (number is int)}number of seconds from {least} to {most}')
        return value

    return Parsed(parse)


def _no_events(text: str) -> int:
    if text.strip() != '0':
        raise ValueError('polling for events is not supported in this version: use 0')
    return 0


def _words(text: str) -> tuple[str, ...]:
    """Words that white space or commas part."""
    return tuple(text.replace(',', ' ').split())


def _types(text: str) -> TypePolicy:
    return TypePolicy.parse(_words(text))


def _allowances(text: str) -> Allowances:
    return Allowances.parse(_words(text))


def _prefix(node: colander.SchemaNode, value: str) -> None:
    if not re.fullmatch(r'(/[A-Za-z0-9._~-]+)+', value):
        raise colander.Invalid(
            node, 'write a path that begins with a slash, does not end with one and holds plain characters: "/fsp"'
        )


def _egnyte_url(node: colander.SchemaNode, value: str) -> None:
    loopback = r'(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?'
    if not re.fullmatch(rf'sandbox:.+|https://[^/?#@\s]+|http://{loopback}', value):
        raise colander.Invalid(
            node,
            'write "https://DOMAIN" without a path or a slash behind it, "sandbox:DIRECTORY", or "http://" with a '
            'loopback address',
        )


def _base_url(node: colander.SchemaNode, value: str) -> None:
    if value and not re.fullmatch(r'https?://[^/?#@\s]+(/[^?#\s]*)?(?<!/)', value):
        raise colander.Invalid(node, 'write "https://HOST" with or without a path, and no slash at its end')


def _username(node: colander.SchemaNode, value: str) -> None:
    if ':' in value:
        raise colander.Invalid(node, 'write it without a colon, which ends the user name in HTTP')


def _password(node: colander.SchemaNode, value: str) -> None:
    if value.startswith('$argon2'):
        raise colander.Invalid(node, 'hashed passwords are not supported in this version: write the plain one')


def _secrets(node: colander.SchemaNode, value: tuple[str, ...]) -> None:
    if any(len(secret) < 32 for secret in value):
        raise colander.Invalid(node, 'every key needs 32 characters or more; "openssl rand -hex 32" makes a good one')


def _only(*supported: str, later: str = '') -> Any:
    """One of *supported*; values in *later* are promised to a later version, and never silently ignored."""

    def check(node: colander.SchemaNode, value: str) -> None:
        if value in later.split():
            raise colander.Invalid(node, f'"{value}" is not supported in this version: use {" or ".join(supported)}')
        if value not in supported:
            raise colander.Invalid(node, f'use {" or ".join(supported)}')

    return check


def _node(key: str, default: Any, kind: colander.SchemaType, validator: Any = None) -> colander.SchemaNode:
    return colander.SchemaNode(kind, name=PREFIX + key, missing=default, validator=validator)


_text, _flag = colander.String(), Parsed(_boolean)

SCHEMA = colander.SchemaNode(
    colander.Mapping(),
    _node('username', colander.required, _text, _username),
    _node('password', colander.required, _text, _password),
    _node('prefix', '/fsp', _text, _prefix),
    _node('public.prefix', '/fsp-public', _text, _prefix),
    _node('connect.prefix', '/fsp-connect', _text, _prefix),
    _node('ops.prefix', '/fsp-ops', _text, _prefix),
    _node('include_tm', True, _flag),
    _node('require_https', False, _flag),
    _node('folders', parse_mounts('/ /Shared/Beefree/{uid}'), Parsed(parse_mounts)),
    _node('egnyte.url', colander.required, _text, _egnyte_url),
    _node('egnyte.token', '', _text),
    _node('egnyte.timeout', 30.0, _seconds(0.001, _DAY)),
    _node('egnyte.max_wait', 10.0, _seconds(0, _DAY)),
    _node('upload.on_conflict', 'replace', _text, _only('replace', 'keep', 'error')),
    _node('upload.max_size', 20 << 20, Parsed(_size)),
    _node('upload.types', _types(''), Parsed(_types)),
    _node('sources.allow', _allowances(''), Parsed(_allowances)),
    _node('sources.timeout', 20.0, _seconds(0.001, _DAY)),
    _node('cache.backend', 'memory', _text, _only('memory', later='redis')),
    _node('cache.ttl', 60.0, _seconds(0, _DAY)),
    _node('pace.backend', 'memory', _text, _only('memory', later='database redis')),
    _node('redis_url', '', _text),
    _node('database_url', '', _text),
    _node('events.interval', 0, Parsed(_no_events)),
    _node('accounts.mode', 'token', _text, _only('token', later='oauth')),
    _node('accounts.keys', (), Parsed(_words)),
    _node('public.secret', (), Parsed(_words), _secrets),
    _node('public.base_url', '', _text, _base_url),
    _node('public.token', '', _text),
    _node('public.max_age', 300, _seconds(0, _YEAR, int)),
    _node('public.revalidate', 86400, _seconds(0, _YEAR, int)),
    _node('public.cache_dir', '', _text),
    _node('public.cache_size', 2 << 30, Parsed(_size)),
    _node('public.sendfile', 'none', _text, _only('none', later='nginx')),
)
KEYS: tuple[str, ...] = tuple(node.name for node in SCHEMA)


def _attribute(key: str) -> str:
    """``fsp.egnyte.max_wait`` -> ``egnyte_max_wait``: the attribute, and the keyword."""
    return key.removeprefix(PREFIX).replace('.', '_')


def variable(key: str) -> str:
    """``fsp.egnyte.max_wait`` -> ``FSP_EGNYTE_MAX_WAIT``: the environment variable."""
    return 'FSP_' + _attribute(key).upper()


_BY_ATTRIBUTE = {_attribute(key): key for key in KEYS}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, each an attribute named like its key: ``fsp.egnyte.max_wait`` is ``egnyte_max_wait``.

    Times are in seconds and sizes in bytes. Secrets are kept out of its ``repr``.
    """

    username: str
    password: str = field(repr=False)
    prefix: str
    public_prefix: str
    connect_prefix: str
    ops_prefix: str
    include_tm: bool
    require_https: bool
    folders: tuple[FolderMount, ...]
    egnyte_url: str
    egnyte_token: str = field(repr=False)
    egnyte_timeout: float
    egnyte_max_wait: float
    upload_on_conflict: str
    upload_max_size: int
    upload_types: TypePolicy
    sources_allow: Allowances
    sources_timeout: float
    cache_backend: str
    cache_ttl: float
    pace_backend: str
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    events_interval: int
    accounts_mode: str
    accounts_keys: tuple[str, ...] = field(repr=False)
    public_secret: tuple[str, ...] = field(repr=False)
    public_base_url: str
    public_token: str = field(repr=False)
    public_max_age: int
    public_revalidate: int
    public_cache_dir: str
    public_cache_size: int
    public_sendfile: str

    @classmethod
    def parse(cls, ini: Mapping[str, Any], environ: Mapping[str, str] = os.environ, **overrides: Any) -> Self:
        """Read the ``fsp.`` keys of *ini*; other keys are somebody else's.

        A variable of *environ* wins over the ini, unless it is empty: ``FSP_EGNYTE_TOKEN`` for ``fsp.egnyte.token``.
        *overrides* win over both; they are named like the attributes. Raises ConfigurationError, with all complaints
        at once.
        """
        texts = {key: value for key, value in ini.items() if key.startswith(PREFIX)}
        texts.update({key: value for key in KEYS if (value := environ.get(variable(key), '')).strip()})
        texts.update({_BY_ATTRIBUTE.get(name, PREFIX + name): value for name, value in overrides.items()})
        values, complaints = _values(texts)
        complaints += _together(values)
        if complaints:
            raise ConfigurationError('\n'.join(('fsp_pyramid cannot start with these settings:', *complaints)))
        return cls(**{_attribute(key): value for key, value in values.items()})

    @property
    def sandbox(self) -> str:
        """The directory of the embedded sandbox; '' where Egnyte is a real one."""
        scheme, _, directory = self.egnyte_url.partition(':')
        return directory if scheme == 'sandbox' else ''


def refuse_defaults(global_config: Mapping[str, Any]) -> None:
    """Refuse ``fsp.`` keys in ``[DEFAULT]``: PasteDeploy hides one there from ``[app:main]`` without a word."""
    found = sorted(key for key in global_config if key.startswith(PREFIX))
    if found:
        raise ConfigurationError(f'move {", ".join(found)} from [DEFAULT] to [app:main]: it has no effect where it is')


def _values(texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What is right, by key, and complaints about the rest."""
    complaints = [_unknown(key) for key in texts if key not in KEYS]
    values = {}
    for node in SCHEMA:
        # A host that is configured in Python may have numbers and booleans. An empty value is as good as no key.
        given = texts.get(node.name)
        text = '' if given is None else str(given)
        try:
            values[node.name] = node.deserialize(text if text.strip() else colander.null)
        except colander.Invalid as error:
            complaints.append(_complaint(node.name, text, error))
    return values, complaints


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    return f'  {key}: there is no such setting{f"; did you mean {near[0]}?" if near else ""}'


_SECRETS = {
    'fsp.password',
    'fsp.egnyte.token',
    'fsp.redis_url',
    'fsp.database_url',
    'fsp.accounts.keys',
    'fsp.public.secret',
    'fsp.public.token',
}


def _complaint(key: str, text: str, error: colander.Invalid) -> str:
    if not text.strip():
        return _missing(key)
    # Who writes an "@" into a URL may have written a password before it.
    secret = key in _SECRETS or (key.endswith('url') and '@' in text)
    shown = '' if secret else f' {" ".join(text.split())!r}'
    return f'  {key}:{shown} will not do: {"; ".join(error.messages())}'


def _missing(key: str, why: str = '') -> str:
    return f'  {key} is missing{why}: set it in the ini file, or in the environment variable {variable(key)}'


def _together(values: Mapping[str, Any]) -> list[str]:
    """Complaints about what is right alone and wrong together. What is wrong alone is not in *values*."""
    complaints = []
    if not values.get('fsp.egnyte.url', '').startswith('sandbox:'):
        needed = [key for key in ('fsp.egnyte.token', 'fsp.public.secret') if not values.get(key, True)]
        complaints += [_missing(key, ', and a real Egnyte needs it') for key in needed]
    prefixes = [(key, values[key]) for key in KEYS if key.endswith('prefix') and key in values]
    for (one, path), (other, longer) in itertools.permutations(prefixes, 2):
        if longer.startswith(f'{path}/') or (path == longer and one < other):
            complaints.append(f'  {one} = {path} and {other} = {longer} overlap: neither may begin with the other')
    return complaints
