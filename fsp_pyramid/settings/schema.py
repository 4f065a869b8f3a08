"""Schema of the settings: key, default, type and validator of each."""

from datetime import UTC
from typing import Any

import colander

from ..i18n.catalogs import SOURCE, read_own_words
from ..storage.mappings import parse_mappings
from . import validators
from .logos import read_logo
from .validators import (
    ParsedText,
    only,
    seconds,
    words,
)

PREFIX = 'fsp.'
_DAY, _YEAR = 86400, 31536000
_text, _flag, _words, _folders = (
    colander.String(),
    ParsedText(validators.boolean),
    ParsedText(words),
    ParsedText(parse_mappings),
)


def _node(key: str, default: Any, kind: colander.SchemaType, validator: Any = None) -> colander.SchemaNode:
    return colander.SchemaNode(kind, name=PREFIX + key, missing=default, validator=validator)


# Settings that a client may have of its own, as fsp.client.NAME.KEY; the default is fsp.KEY.
_OF_CLIENTS = (
    _node('username', colander.required, _text, validators.username),
    _node('password', colander.required, _text, validators.password),
    _node('client_ids', (), ParsedText(validators.client_ids)),
    _node('read_only', False, _flag),
    _node('disabled', False, _flag),
    _node('language', SOURCE, _text, validators.language),
    _node('title', '', _text, validators.title),
    _node('support_url', '', _text, validators.support_url),
    _node('logo', None, ParsedText(read_logo)),
    _node('folders', None, _folders),
    _node('egnyte.url', colander.required, _text, validators.egnyte_url),
    _node('egnyte.token', '', _text, validators.token),
    _node('egnyte.timeout', 30.0, seconds(0.001, _DAY)),
    _node('egnyte.max_wait', 10.0, seconds(0, _DAY)),
    _node('upload.on_conflict', 'replace', _text, only('replace', 'keep', 'error')),
    _node('upload.max_size', 20 << 20, ParsedText(validators.size)),
    _node('upload.types', validators.types(''), ParsedText(validators.types)),
    _node('sources.allow', validators.allowances(''), ParsedText(validators.allowances)),
    _node('sources.timeout', 20.0, seconds(0.001, _DAY)),
    _node('accounts.mode', 'token', _text, only('token', 'oauth')),
    _node('oauth.key', '', _text),
    _node('oauth.secret', '', _text),
    _node('oauth.scope', 'Egnyte.filesystem', _text),
    _node('oauth.domain', 'fixed', _text, only('fixed', 'ask', 'service')),
    _node('oauth.domains', (), ParsedText(validators.hosts)),
    _node('oauth.service_url', '', _text, validators.service_url),
)
SCHEMA = colander.SchemaNode(
    colander.Mapping(),
    _node('clients', (), ParsedText(validators.names)),
    *_OF_CLIENTS,
    _node('prefix', '/fsp', _text, validators.prefix),
    _node('public.prefix', '/fsp-public', _text, validators.prefix),
    _node('connect.prefix', '/fsp-connect', _text, validators.prefix),
    _node('connect.lifetime', 86400.0, seconds(60, _YEAR)),
    _node('connect.return_origins', (), ParsedText(validators.origins)),
    _node('ops.prefix', '/fsp-ops', _text, validators.prefix),
    _node('ops.metrics', False, _flag),
    _node('ops.token', '', _text, validators.ops_token),
    _node('console.prefix', '/fsp-console', _text, validators.prefix),
    _node('console.local', False, _flag),
    _node('console.token', '', _text, validators.ops_token),
    _node('console.permission', '', _text),
    _node('welcome', False, _flag),
    _node('language_header', '', _text, validators.header),
    _node('timezone', UTC, ParsedText(validators.timezone)),
    _node('messages', {}, ParsedText(read_own_words)),
    _node('include_tm', True, _flag),
    _node('threads', 32, ParsedText(validators.threads)),
    _node('shutdown.timeout', 20.0, seconds(0, _DAY)),
    _node('require_https', False, _flag),
    _node('cache.backend', 'memory', _text, only('memory', 'redis')),
    _node('cache.ttl', 60.0, seconds(0, _DAY)),
    _node('cache.memory', 128 << 20, ParsedText(validators.size)),
    _node('pace.backend', 'memory', _text, only('memory', 'database', 'redis')),
    _node('pace.reserve', 0.1, ParsedText(validators.percent)),
    _node('redis_url', '', _text),
    _node('database_url', '', _text),
    _node('events.interval', 0, ParsedText(validators.events_interval)),
    _node('accounts.keys', (), ParsedText(validators.fernet_keys)),
    _node('accounts.session', '', _text),
    _node('public.secret', (), _words, validators.secrets),
    _node('public.base_url', '', _text, validators.base_url),
    _node('public.token', '', _text, validators.token),
    _node('public.max_age', 300, seconds(0, _YEAR, int)),
    _node('public.revalidate', 86400, seconds(0, _YEAR, int)),
    _node('public.cache_dir', '', _text),
    _node('public.cache_size', 2 << 30, ParsedText(validators.size)),
    _node('public.cache_age', 31536000.0, seconds(0, 100 * _YEAR)),
    _node('public.sendfile', 'none', _text, only('none', 'nginx')),
)
KEYS: tuple[str, ...] = tuple(node.name for node in SCHEMA)
CLIENT_KEYS: tuple[str, ...] = tuple(node.name for node in _OF_CLIENTS)
# Never shown, not even in complaints.
SECRETS = frozenset(
    PREFIX + key
    for key in (
        'password',
        'egnyte.token',
        'oauth.secret',
        'redis_url',
        'database_url',
        'accounts.keys',
        'public.secret',
        'public.token',
        'ops.token',
        'console.token',
    )
)
