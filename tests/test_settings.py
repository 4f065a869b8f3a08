"""Settings: ini text becomes an object, or complaints with remedies."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyramid.exceptions import ConfigurationError

from fsp_pyramid import main
from fsp_pyramid.passwords import hash_password
from fsp_pyramid.settings import (
    KEYS,
    ClientSettings,
    Settings,
    refuse_defaults,
    unknown_variables,
    variable,
)
from fsp_pyramid.settings.variables import NO_SETTINGS

from .setting import value_of

SANDBOX = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/tmp/e'}
REAL = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'https://acme.egnyte.com'}
SECRETS = (
    'fsp.password',
    'fsp.egnyte.token',
    'fsp.oauth.secret',
    'fsp.redis_url',
    'fsp.database_url',
    'fsp.accounts.keys',
    'fsp.public.secret',
    'fsp.public.token',
    'fsp.ops.token',
)
HUSH = 'hush-this-is-a-secret-of-many-characters-43='


def parse(ini: dict[str, Any] | None = None, environ: dict[str, str] | None = None, **overrides: Any) -> Settings:
    return Settings.parse(SANDBOX | (ini or {}), environ or {}, **overrides)


def parse_client(ini: dict[str, Any] | None = None, **overrides: Any) -> ClientSettings:
    (client,) = parse(ini, **overrides).clients.values()
    return client


def complaints(ini: dict[str, Any], environ: dict[str, str] | None = None, **overrides: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(ini, environ or {}, **overrides)
    first, *rest = str(caught.value).splitlines()
    assert first == 'fsp_pyramid cannot start with these settings:'
    return [line.strip() for line in rest]


def complaint(key: str, value: Any) -> str:
    (line,) = complaints(SANDBOX | {key: value})
    return line


# Required settings


def test_sendfile_by_nginx_needs_a_cache_directory() -> None:
    (line,) = complaints(SANDBOX | {'fsp.public.sendfile': 'nginx'})
    assert line.startswith('fsp.public.cache_dir is missing, and nginx sends what is kept there: set it in the ini')
    assert parse({'fsp.public.sendfile': 'nginx', 'fsp.public.cache_dir': '/c'}).public.sendfile == 'nginx'


def test_minimal_settings_of_a_sandbox() -> None:
    settings, client = parse(), parse_client()
    assert (client.username, client.password, client.egnyte.sandbox_directory) == ('u', 'p', '/tmp/e')
    assert settings.public.secret == ()


def test_additional_settings_of_a_real_egnyte() -> None:
    remedy = 'is missing, and a real Egnyte needs it: set it in the ini file, or in the environment variable'
    assert complaints(REAL) == [
        f'fsp.egnyte.token {remedy} FSP_EGNYTE_TOKEN',
        f'fsp.public.secret {remedy} FSP_PUBLIC_SECRET',
    ]
    settings = Settings.parse(REAL | {'fsp.egnyte.token': 't', 'fsp.public.secret': HUSH}, {})
    egnyte = settings.clients[''].egnyte
    assert (egnyte.token, settings.public.secret, egnyte.sandbox_directory) == ('t', (HUSH,), '')


def test_missing_settings_are_reported_together_with_their_variables() -> None:
    found = complaints({})
    assert [line.split()[0] for line in found] == [
        'fsp.username',
        'fsp.password',
        'fsp.egnyte.url',
        'fsp.egnyte.token',
        'fsp.public.secret',
    ]
    assert found[0].endswith('is missing: set it in the ini file, or in the environment variable FSP_USERNAME')


def test_invalid_settings_are_reported_together() -> None:
    found = complaints(
        {
            'fsp.username': 'u',
            'fsp.egnyte.url': 'acme.egnyte.com',
            'fsp.cache.ttl': 'soon',
            'fsp.prefix': '/a',
            'fsp.ops.prefix': '/a/b',
            'fsp.colour': 'red',
        },
        {'FSP_UPLOAD_MAX_SIZE': 'big'},
    )
    expected = ('fsp.colour', 'fsp.password', 'fsp.egnyte.url', 'fsp.upload.max_size', 'fsp.cache.ttl')
    assert [line.split()[0].rstrip(':') for line in found[:5]] == list(expected)
    assert [line.split()[0] for line in found[5:]] == ['fsp.egnyte.token', 'fsp.public.secret', 'fsp.prefix']


@pytest.mark.parametrize(
    ('key', 'right'),
    [
        ('fsp.usernam', 'fsp.username'),
        ('fsp.egnyte_url', 'fsp.egnyte.url'),
        ('fsp.upload.maxsize', 'fsp.upload.max_size'),
        ('fsp.source.allow', 'fsp.sources.allow'),
        ('fsp.Prefix', 'fsp.prefix'),
    ],
)
def test_unknown_keys_suggest_the_right_one(key: str, right: str) -> None:
    assert complaint(key, 'x') == f'{key}: there is no such setting; did you mean {right}?'


def test_unknown_keys_without_a_similar_one() -> None:
    assert complaint('fsp.zzzzzzzzzz', 'x') == 'fsp.zzzzzzzzzz: there is no such setting'


def test_keys_without_the_prefix_are_ignored() -> None:
    assert parse({'tm.attempts': '3', 'fspx': '1', 'sqlalchemy.url': 'x'}) == parse()


# Values


@pytest.mark.parametrize(
    ('key', 'value', 'remedy'),
    [
        ('fsp.username', 'a:b', 'write it without a colon, which ends the user name in HTTP'),
        ('fsp.include_tm', 'maybe', 'write true or false'),
        ('fsp.require_https', '2', 'write true or false'),
        ('fsp.threads', '0', 'write a whole number from 1 to 1000'),
        ('fsp.threads', '1001', 'write a whole number from 1 to 1000'),
        ('fsp.threads', '4.5', 'write a whole number from 1 to 1000'),
        ('fsp.threads', 'many', 'write a whole number from 1 to 1000'),
        ('fsp.egnyte.timeout', '0', 'write a number of seconds from 0.001 to 86400'),
        ('fsp.egnyte.timeout', 'nan', 'write a number of seconds from 0.001 to 86400'),
        ('fsp.egnyte.max_wait', '-1', 'write a number of seconds from 0 to 86400'),
        ('fsp.sources.timeout', 'inf', 'write a number of seconds from 0.001 to 86400'),
        ('fsp.cache.ttl', '1 minute', 'write a number of seconds from 0 to 86400'),
        ('fsp.public.max_age', '1.5', 'write a whole number of seconds from 0 to 31536000'),
        ('fsp.public.revalidate', '-5', 'write a whole number of seconds from 0 to 31536000'),
        ('fsp.upload.max_size', '20 XB', 'write a number with B, KB, MB or GB, such as "20 MB"'),
        ('fsp.upload.max_size', '0', 'write a number with B, KB, MB or GB, such as "20 MB"'),
        ('fsp.public.cache_size', '-1 GB', 'write a number with B, KB, MB or GB, such as "20 MB"'),
        ('fsp.upload.on_conflict', 'ask', 'use replace or keep or error'),
        ('fsp.ops.metrics', 'maybe', 'write true or false'),
        ('fsp.cache.backend', 'disk', 'use memory or redis'),
        ('fsp.pace.backend', 'file', 'use memory or database or redis'),
        ('fsp.pace.reserve', '41', 'write a percentage from 0 to 40'),
        ('fsp.pace.reserve', 'nan', 'write a percentage from 0 to 40'),
        ('fsp.pace.reserve', '-1', 'write a percentage from 0 to 40'),
        ('fsp.pace.reserve', 'few', 'write a percentage from 0 to 40'),
        ('fsp.events.interval', '299', 'write 0 for never, or a whole number of seconds from 300'),
        ('fsp.events.interval', '1e9', 'write 0 for never, or a whole number of seconds from 300'),
        ('fsp.public.base_url', 'https://cdn.acme.com/', 'write "https://HOST" with or without a path, and no slash'),
        ('fsp.upload.types', 'image, pictures', '"pictures" is no type of file: write one of image, text,'),
        ('fsp.sources.allow', '10.0.0.0/8 10.1.2.3:x', '"10.1.2.3:x" is no host, address or network'),
        ('fsp.sources.allow', '10.1.2.3 0.0.0.0/1', '"0.0.0.0/1" is no host, address or network (it is wider than /8'),
        ('fsp.folders', '/a', '"/a" needs a directory, a folder at Egnyte and perhaps "ro"'),
        ('fsp.folders', '/ /Shared/{user}', '{user} is unknown; there are {uid} and {client_id}'),
    ],
)
def test_bad_values_are_named_with_their_key_and_a_remedy(key: str, value: str, remedy: str) -> None:
    line = complaint(key, value)
    assert line.startswith(f'{key}: {value!r} will not do: ')
    assert remedy in line


def test_invalid_hash_is_refused() -> None:
    line = complaint('fsp.password', '$argon2id$v=19$brokenhash')
    assert 'begins like a hash and is none' in line
    assert 'brokenhash' not in line
    # Its verification would take another time than that of an unknown user.
    assert 'is none' in complaint('fsp.password', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo')
    assert parse({'fsp.password': hash_password('x')})


@pytest.mark.parametrize(
    ('text', 'size'),
    [('1', 1), ('17 B', 17), ('3KB', 3 * 1024), ('20 MB', 20 * 1024**2), (' 2  gb ', 2 * 1024**3)],
)
def test_sizes_are_binary(text: str, size: int) -> None:
    assert parse_client({'fsp.upload.max_size': text}).upload.max_size == size


@pytest.mark.parametrize(
    ('text', 'value'), [('true', True), ('YES', True), ('on', True), ('1', True), ('false', False), ('No', False)]
)
def test_booleans(text: str, value: bool) -> None:
    settings = parse({'fsp.include_tm': text, 'fsp.require_https': text})
    assert (settings.include_tm, settings.require_https) == (value, value)


@pytest.mark.parametrize('prefix', ['/fsp', '/a/b', '/~me/fsp.v1', '/A_b-c'])
def test_prefixes(prefix: str) -> None:
    assert parse({'fsp.prefix': prefix}).prefix == prefix


@pytest.mark.parametrize('prefix', ['fsp', '/', '/fsp/', '//a', '/a b', '/{x}', '/a%20b', '/é', '/a?b', '/a\nb'])
def test_invalid_prefixes_are_refused(prefix: str) -> None:
    assert 'write a path that begins with a slash' in complaint('fsp.prefix', prefix)


@pytest.mark.parametrize(
    ('prefix', 'public', 'said'),
    [
        ('/a', '/a', 'fsp.prefix = /a and fsp.public.prefix = /a'),
        ('/a', '/a/b', 'fsp.prefix = /a and fsp.public.prefix = /a/b'),
        ('/a/b/c', '/a/b', 'fsp.public.prefix = /a/b and fsp.prefix = /a/b/c'),
    ],
)
def test_overlapping_prefixes_are_refused(prefix: str, public: str, said: str) -> None:
    assert complaints(SANDBOX | {'fsp.prefix': prefix, 'fsp.public.prefix': public}) == [
        f'{said} overlap: neither may begin with the other'
    ]


def test_similar_prefixes_are_accepted() -> None:
    assert parse({'fsp.prefix': '/a', 'fsp.public.prefix': '/ab'}).public.prefix == '/ab'


@pytest.mark.parametrize(
    'url',
    [
        'https://acme.egnyte.com',
        'https://acme.egnytegov.com:8443',
        'http://localhost:7700',
        'http://127.0.0.1',
        'http://[::1]:7700',
    ],
)
def test_urls_of_a_real_egnyte(url: str) -> None:
    settings = Settings.parse(REAL | {'fsp.egnyte.url': url, 'fsp.egnyte.token': 't', 'fsp.public.secret': HUSH}, {})
    egnyte = settings.clients[''].egnyte
    assert (egnyte.url, egnyte.sandbox_directory) == (url, '')


@pytest.mark.parametrize(
    'url',
    [
        'acme.egnyte.com',
        'https://',
        'https://acme.egnyte.com/',
        'https://acme.egnyte.com/pubapi',
        'https://acme.egnyte.com?x',
        'http://acme.egnyte.com',
        'http://127.0.0.1.acme.com',
        'http://localhost/',
        'ftp://localhost',
        'sandbox:',
    ],
)
def test_invalid_urls_of_egnyte_are_refused(url: str) -> None:
    line = complaints(SANDBOX | {'fsp.egnyte.url': url})[0]
    assert line.startswith(f'fsp.egnyte.url: \'{url}\' will not do: write "https://DOMAIN" without a path or a slash')


@pytest.mark.parametrize('key', ['fsp.egnyte.url', 'fsp.public.base_url'])
def test_passwords_in_urls_are_refused_and_not_shown(key: str) -> None:
    line = complaints(SANDBOX | {key: f'https://user:{HUSH}@acme.egnyte.com'})[0]
    assert line.startswith(f'{key}: will not do: write "https://')
    assert HUSH not in line


def test_folders_are_parsed() -> None:
    (root, shared) = parse_client({'fsp.folders': '\n/ /Shared/Beefree/{uid}\n/shared/  /Shared/Brand   ro\n'}).folders
    assert (root.directory, root.folder, root.read_only) == ((), ('Shared', 'Beefree', '{uid}'), False)
    assert (shared.directory, shared.folder, shared.read_only) == (('shared',), ('Shared', 'Brand'), True)


def test_several_signing_keys() -> None:
    first, second = 'a' * 32, 'b' * 40
    assert parse({'fsp.public.secret': f'\n{first}\n{second}'}).public.secret == (first, second)


def test_short_signing_keys_are_refused_and_not_shown() -> None:
    line = complaint('fsp.public.secret', f'{HUSH} too-short')
    assert line.startswith('fsp.public.secret: will not do: every key needs 32 characters or more; "openssl rand')
    assert HUSH not in line
    assert 'too-short' not in line


@pytest.mark.parametrize('token', ['hush', f'{HUSH} {HUSH}', f'{HUSH}\nx', f'{HUSH}€'])
def test_tokens_of_operators_are_long_and_fit_into_a_header(token: str) -> None:
    line = complaint('fsp.ops.token', token)
    assert line.startswith('fsp.ops.token: will not do: write 16 or more letters, digits and signs of ASCII; "openssl')
    assert 'hush' not in line


def test_values_may_be_numbers_and_booleans() -> None:
    settings = parse({'fsp.include_tm': False, 'fsp.cache.ttl': 0, 'fsp.upload.max_size': 1000, 'fsp.prefix': None})
    assert (settings.include_tm, settings.cache.ttl, settings.clients[''].upload.max_size) == (False, 0, 1000)
    assert settings.prefix == '/fsp'


# Sources


def test_environment_wins_over_the_ini() -> None:
    environ = {'FSP_PASSWORD': 'q', 'FSP_EGNYTE_MAX_WAIT': '3', 'FSP_SOMETHING': 'else', 'FSP_REQUIRE_SERVICES': '1'}
    client = parse({'fsp.egnyte.max_wait': '5'}, environ).clients['']
    assert (client.password, client.egnyte.max_wait) == ('q', 3.0)


@pytest.mark.parametrize('empty', ['', '  '])
def test_empty_variable_is_ignored(empty: str) -> None:
    assert parse({'fsp.require_https': 'true'}, {'FSP_REQUIRE_HTTPS': empty}).require_https


@pytest.mark.parametrize('key', [key for key in SECRETS if key != 'fsp.accounts.keys'])
def test_white_space_around_a_value_is_stripped(key: str) -> None:
    name = key.removeprefix('fsp.').replace('.', '_')
    expected = value_of(parse({key: HUSH}), key)
    assert value_of(parse({key: f' {HUSH}\n'}), key) == expected
    assert value_of(parse({}, {variable(key): f'{HUSH}\r\n'}), key) == expected
    assert value_of(parse({}, **{name: f'\t{HUSH}'}), key) == expected


@pytest.mark.parametrize('key', ['fsp.egnyte.token', 'fsp.public.token'])
@pytest.mark.parametrize('token', [f'{HUSH} x', f'{HUSH}\nx', f'{HUSH}€', f'{HUSH}\x7f'])
def test_tokens_invalid_in_headers_are_refused_and_not_shown(key: str, token: str) -> None:
    assert (
        complaint(key, token) == f'{key}: will not do: write it as Egnyte gave it: letters, digits and signs of ASCII'
    )


def test_overrides_win_over_both() -> None:
    settings = parse({'fsp.egnyte.token': 'ini'}, {'FSP_EGNYTE_TOKEN': 'environ'}, egnyte_token='override')
    assert settings.clients[''].egnyte.token == 'override'
    assert parse_client({'fsp.egnyte.token': 'ini'}, egnyte_token='').egnyte.token == ''


def test_unknown_overrides_are_refused() -> None:
    assert complaints(SANDBOX, egnyte_tokn='x') == [
        'fsp.egnyte_tokn: there is no such setting; did you mean fsp.egnyte.token?'
    ]


@pytest.mark.parametrize('key', sorted(KEYS))
def test_every_key_has_a_variable_of_its_own(key: str) -> None:
    assert re.fullmatch(r'FSP_[A-Z_]+', variable(key))
    assert [other for other in KEYS if variable(other) == variable(key)] == [key]


@pytest.mark.parametrize('empty', ['', '  ', '\n'])
def test_empty_value_counts_as_missing(empty: str) -> None:
    required = ('fsp.username', 'fsp.password', 'fsp.egnyte.url')
    assert parse(dict.fromkeys(set(KEYS) - set(required), empty)) == parse()
    assert [line.split()[0] for line in complaints(dict.fromkeys(KEYS, empty))[:3]] == list(required)


def test_keys_in_default_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r'move fsp.a, fsp.b from \[DEFAULT\] to \[app:main\]'):
        refuse_defaults({'fsp.b': '1', 'fsp.a': '2', '__file__': 'x', 'http_port': '6543'})
    refuse_defaults({'__file__': 'x', 'http_port': '6543', 'fsp_port': '1', 'fsp': 'x'})
    with pytest.raises(ConfigurationError, match=r'move FSP_READ_ONLY \(as fsp.read_only\) from \[DEFAULT\]'):
        refuse_defaults({'FSP_READ_ONLY': 'true'})


def test_application_refuses_keys_in_default() -> None:
    with pytest.raises(ConfigurationError, match=r'move fsp\.password from'):
        main({'fsp.password': 'p'}, **SANDBOX)


# Secrets


def test_secrets_are_not_in_the_repr() -> None:
    settings = parse(dict.fromkeys(SECRETS, HUSH))
    assert [value_of(settings, key) for key in SECRETS] == [
        (HUSH,) if key in {'fsp.public.secret', 'fsp.accounts.keys'} else HUSH for key in SECRETS
    ]
    assert HUSH not in repr(settings)


def test_secrets_are_not_in_complaints_about_other_keys() -> None:
    lines = complaints(SANDBOX | dict.fromkeys(SECRETS, HUSH) | {'fsp.cache.ttl': 'x'})
    assert len(lines) == 1
    assert HUSH not in lines[0]


@given(
    st.dictionaries(st.sampled_from(KEYS), st.text(max_size=40)),
    st.dictionaries(st.sampled_from([variable(key) for key in KEYS]), st.text(max_size=40)),
)
def test_any_text_gives_settings_or_complaints(ini: dict[str, str], environ: dict[str, str]) -> None:
    try:
        clients = parse(ini, environ).clients.values()
    except ConfigurationError:
        return
    assert clients
    for client in clients:
        assert 0 < client.egnyte.timeout <= 86400
        assert client.folders


@given(st.sampled_from(SECRETS), st.text(max_size=60), st.sampled_from(['', '$argon2', ' ', 'short ']))
def test_no_secret_leaks(key: str, noise: str, start: str) -> None:
    text = f'{start}{HUSH}{noise}'
    try:
        shown = repr(parse({key: text}))
    except ConfigurationError as error:
        shown = str(error)
    assert HUSH not in shown


# Clients

THREE = {
    'fsp.clients': 'acme shop, preview',
    'fsp.client.acme.username': 'acme',
    'fsp.client.acme.password': 'a',
    'fsp.client.shop.username': 'shop',
    'fsp.client.shop.password': 's',
    'fsp.client.shop.client_ids': 'one two',
    'fsp.client.shop.egnyte.url': 'sandbox:/other',
    'fsp.client.shop.folders': '/ /Shared/Shop',
    'fsp.client.preview.username': 'preview',
    'fsp.client.preview.password': 'p',
    'fsp.client.preview.read_only': 'true',
    'fsp.egnyte.url': 'sandbox:/all',
    'fsp.upload.max_size': '5 MB',
}


def test_single_client_has_no_name() -> None:
    clients = parse().clients
    assert list(clients) == ['']
    assert clients[''].username == 'u'


def test_clients_override_shared_settings() -> None:
    clients = Settings.parse(THREE, {}).clients
    assert list(clients) == ['acme', 'shop', 'preview']
    assert [one.username for one in clients.values()] == ['acme', 'shop', 'preview']
    assert [one.egnyte.sandbox_directory for one in clients.values()] == ['/all', '/other', '/all']
    assert [one.read_only for one in clients.values()] == [False, False, True]
    assert {one.upload.max_size for one in clients.values()} == {5 << 20}
    assert clients['shop'].client_ids == {'one', 'two'}
    assert clients['shop'].folders != clients['acme'].folders


def test_clients_secret_may_come_from_the_environment() -> None:
    ini = {key: value for key, value in THREE.items() if key != 'fsp.client.acme.password'}
    assert complaints(ini) == [
        (
            'fsp.client.acme.password is missing: set it in the ini file, or in the environment variable '
            'FSP_CLIENT_ACME_PASSWORD'
        )
    ]
    assert Settings.parse(ini, {'FSP_CLIENT_ACME_PASSWORD': 'x'}).clients['acme'].password == 'x'


@pytest.mark.parametrize(
    ('key', 'value', 'complaint'),
    [
        ('fsp.client.other.username', 'x', 'fsp.client.other.username: there is no client other; name it in'),
        ('fsp.client.acme.prefix', '/x', 'fsp.client.acme.prefix: all clients share this, write fsp.prefix'),
        ('fsp.client.acme.reed_only', 'x', 'there is no such setting; did you mean fsp.client.acme.read_only?'),
        ('fsp.client.acme.upload.max_size', 'x', "fsp.client.acme.upload.max_size: 'x' will not do"),
        ('fsp.client.acme.username', 'shop', 'two clients have the user name shop'),
        ('fsp.upload.max_size', 'x', "fsp.upload.max_size: 'x' will not do"),
        ('fsp.password', 'x', 'fsp.password belongs to one client: write fsp.client.acme.password'),
        ('fsp.clients', 'acme shop preview acme', 'every client is named once'),
        ('fsp.client.acme.folders', '/ {folder}', '{folder} is known only where users connect accounts'),
    ],
)
def test_complaint_about_a_client_is_reported_once(key: str, value: str, complaint: str) -> None:
    (line,) = complaints(THREE | {key: value})
    assert complaint in line


def test_names_of_clients() -> None:
    lines = complaints(SANDBOX | {'fsp.clients': 'Acme'})
    assert any('"Acme" must be a small letter' in line for line in lines)


def test_shared_rate_store_needs_its_url() -> None:
    assert complaints(SANDBOX | {'fsp.pace.backend': 'redis'})[0].startswith(
        'fsp.redis_url is missing, and a backend is "redis"'
    )
    assert complaints(SANDBOX | {'fsp.pace.backend': 'database'})[0].startswith(
        'fsp.database_url is missing, and calls to Egnyte are counted there'
    )
    assert parse({'fsp.pace.backend': 'database', 'fsp.accounts.session': 'os.path.join'})


def test_reserve_is_a_percentage() -> None:
    assert [parse({'fsp.pace.reserve': text}).pace.reserve for text in ('0', '5%', '40')] == [0, 0.05, 0.4]


def test_oauth_mode_needs_its_settings() -> None:
    ini = {**REAL, 'fsp.public.secret': HUSH, 'fsp.accounts.mode': 'oauth'}
    assert [line.partition(' ')[0] for line in complaints(ini)] == [
        'fsp.accounts.keys',
        'fsp.database_url',
        'fsp.oauth.key',
        'fsp.oauth.secret',
    ]
    ini |= {'fsp.accounts.keys': HUSH, 'fsp.database_url': 'sqlite://', 'fsp.oauth.key': 'k', 'fsp.oauth.secret': 's'}
    assert Settings.parse(ini, {}) == Settings.parse(ini | {'fsp.folders': '/ {folder}'}, {})
    assert 'fsp.oauth.service_url is missing' in complaints(ini | {'fsp.oauth.domain': 'service'})[0]
    assert 'run fsp-sandbox' in complaints(ini | {'fsp.egnyte.url': 'sandbox:x'})[0]


# Misconfigurations that would be silent otherwise


@pytest.mark.parametrize(
    'tail',
    [
        *(' readonly', ' read-only', ' READ_ONLY', ' read only', ' r/o', ' RO?', ' (ro)', ' [ro]', ' "ro"', ' ro.'),
        *(' ro,', ' ro;', ' r-o', ' Ro!', ',ro', ':ro', '(ro)', ' = ro', ' view-only', ' rdonly', '\u00a0readonly'),
        *('  viewer', '  x', '\tlocked', '   r', ' \t nothing else', ' ro # everybody reads it', ' ; everybody'),
        *(' # everybody', ' ro  ; x', ' ro ro', '  rw'),
    ],
)
def test_last_word_of_a_folder_other_than_ro_is_refused(tail: str) -> None:
    line = complaint('fsp.folders', f'/ /Shared/Beefree/{{uid}}\n/shared/ /Shared/Brand{tail}')
    assert 'write "ro"' in line
    assert '/Shared/Brand' in line


@pytest.mark.parametrize('word', ['r', 'R', 'read', 'readable', 'read-access', 'view', 'Viewer', 'locked', 'protected'])
@pytest.mark.parametrize('column', ['/ /Shared/Brand {}', '/shared {} /Shared/Brand', '/ {{uid}}/My Brand {}=true'])
def test_word_for_read_only_is_refused(word: str, column: str) -> None:
    assert 'write "ro"' in complaint('fsp.folders', column.replace('{}', word).replace('{{', '/{').replace('}}', '}'))


@pytest.mark.parametrize(
    'tail',
    [
        *(
            'write-protected',
            'write protected',
            'immutable',
            'static',
            'nowrite',
            'no-write',
            'No edit',
            'not writable',
        ),
        *(
            'ro=true',
            'readonly=true',
            'read-only=1',
            'ro: yes',
            'ro = true',
            'ronly',
            'O_RDONLY',
            'ro--',
            '--ro',
            'r--',
        ),
        *('readony', 'readolny', 'read-olny', 'read olny', 'raedonly', 'reedonly', 'redonly', 'readonlly', 'vieuonly'),
    ],
)
def test_synonyms_and_misspellings_of_read_only_are_refused(tail: str) -> None:
    line = complaint('fsp.folders', f'/ /Shared/Brand {tail}')
    assert 'behind the folder, write "ro" for a read-only one' in line
    assert f'write a slash behind it: "/Shared/Brand {tail}/"' in line


@pytest.mark.parametrize(
    'tail', [' rw', ' read-write', ' (rw)', ' r/w', ' writable', ' w', ' write', ' full', ' Editor', ' write=true']
)
def test_word_for_writable_is_refused(tail: str) -> None:
    assert 'write nothing behind' in complaint('fsp.folders', f'/ /Shared/Brand{tail}')


@pytest.mark.parametrize('directory', ['/shared/ ro', '/shared  (ro)', '/shared/ readonly', '/shared viewer'])
def test_read_only_word_behind_the_directory_is_refused(directory: str) -> None:
    assert 'write "ro"' in complaint('fsp.folders', f'{directory} /Shared/Brand')


@pytest.mark.parametrize('sign', [',', ' ,', ' ->', '->', ' =>', ' =', '=', ':', ' :', ';', ' |', ' -', ' –', ' →'])
@pytest.mark.parametrize(
    'line', ['/ /Shared/Brand{} ro', '/ /Shared/Brand{}', '/shared{} /Shared/Brand', '/{} /Shared/B']
)
def test_sign_at_the_end_of_a_column_is_refused(sign: str, line: str) -> None:
    assert 'write "ro"' in complaint('fsp.folders', line.replace('{}', sign))


@pytest.mark.parametrize(
    'line', ['/ /Shared/Brand /ro', '/ /Shared/ Brand', '/ =>/ /Shared/Brand', '/a /b/ /Shared/ x']
)
def test_blanks_around_a_name_are_refused(line: str) -> None:
    assert 'no name begins or ends with a blank' in complaint('fsp.folders', line)


@pytest.mark.parametrize(
    ('folder', 'names'),
    [
        ('/Shared/My brand', ('Shared', 'My brand')),
        ('/Shared/Brand-RO', ('Shared', 'Brand-RO')),
        ('/Shared/ro', ('Shared', 'ro')),
        ('/Shared/Euro', ('Shared', 'Euro')),
        ('/Shared/Client #1', ('Shared', 'Client #1')),
        ('/Shared/Retro ro/x', ('Shared', 'Retro ro', 'x')),
        ('/Shared/Metro\tRO', ('Shared', 'Metro')),
        ('/Shared/Brand Assets', ('Shared', 'Brand Assets')),
        ('/Shared/Brand view/', ('Shared', 'Brand view')),
        ('/Shared/Brand readonly/ ro', ('Shared', 'Brand readonly')),
        ('/Shared/Read Only', ('Shared', 'Read Only')),
        ('/Shared/Members only', ('Shared', 'Members only')),
        ('/Shared/Street View 2', ('Shared', 'Street View 2')),
        ('/Shared/Ready already', ('Shared', 'Ready already')),
        ('/Shared/Acme Inc.', ('Shared', 'Acme Inc.')),
        ('/Shared/My spreadsheets', ('Shared', 'My spreadsheets')),
    ],
)
def test_folders_whose_names_only_look_like_words(folder: str, names: tuple[str, ...]) -> None:
    (mount,) = parse_client({'fsp.folders': f'/ {folder}'}).folders
    assert mount.folder == names


@pytest.mark.parametrize(
    ('key', 'right'),
    [
        ('FSP.read_only', 'fsp.read_only'),
        ('Fsp.Prefix', 'fsp.prefix'),
        ('FSP.PUBLIC.SECRET', 'fsp.public.secret'),
        ('fSp.egnyte.Url', 'fsp.egnyte.url'),
        ('FSP_READ_ONLY', 'fsp.read_only'),
        ('fsp_read_only', 'fsp.read_only'),
        ('fsp_egnyte_max_wait', 'fsp.egnyte.max_wait'),
        ('FSP_PUBLIC_SECERT', 'fsp.public.secret'),
        ('fsp:read_only', 'fsp.read_only'),
        ('fsp/read_only', 'fsp.read_only'),
        ('fsp-read-only', 'fsp.read_only'),
        ('fsp.read-only', 'fsp.read_only'),
        ('fsp..read_only', 'fsp.read_only'),
        ('fsp read_only', 'fsp.read_only'),
        ('fsp.egnyte.domain', 'fsp.egnyte.url'),
    ],
)
def test_other_spellings_of_a_key_are_refused(key: str, right: str) -> None:
    assert complaint(key, HUSH) == f'{key}: there is no such setting; did you mean {right}?'


@pytest.mark.parametrize('key', ['fsp', 'FSP', 'fsp.', 'fsp_', 'fsp_port'])
def test_key_that_begins_like_a_setting_is_refused(key: str) -> None:
    assert complaint(key, HUSH).startswith(f'{key}: there is no such setting')


def test_variable_of_a_client_is_refused_as_a_key() -> None:
    (line,) = complaints(THREE | {'FSP_CLIENT_SHOP_READ_ONLY': 'true'})
    assert line.endswith('there is no such setting; did you mean fsp.client.shop.read_only?')


def test_unknown_key_in_capitals_is_refused() -> None:
    assert complaint('FSP.reed_only', 'x') == 'FSP.reed_only: there is no such setting; did you mean fsp.read_only?'


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('FSP_PASWORD', 'did you mean FSP_PASSWORD?'),
        ('FSP_EGNYTE_MAXWAIT', 'did you mean FSP_EGNYTE_MAX_WAIT?'),
        ('FSP_READONLY', 'did you mean FSP_READ_ONLY?'),
        ('fsp_password', 'did you mean FSP_PASSWORD?'),
        ('Fsp_Redis_Url', 'did you mean FSP_REDIS_URL?'),
        ('FSP.PASSWORD', 'did you mean FSP_PASSWORD?'),
        ('FSP_CLIENT_NEWS_PASSWORD', 'there is no client news'),
        ('FSP_CLIENT_SHOP_PASWORD', 'did you mean FSP_CLIENT_SHOP_PASSWORD?'),
        ('FSP_EGNYTE_DOMAIN', 'did you mean FSP_EGNYTE_URL?'),
        ('FSP_EGNYTE_TOKN', 'did you mean FSP_EGNYTE_TOKEN?'),
        ('FSP_USER', 'did you mean FSP_USERNAME?'),
    ],
)
def test_unknown_variables_are_reported(name: str, said: str) -> None:
    (line,) = unknown_variables({'fsp.clients': 'shop'}, {name: HUSH, 'FSP_USERNAME': 'u', 'PATH': '/bin'})
    assert name in line
    assert said in line
    assert HUSH not in line


@pytest.mark.parametrize('name', ['FSP_INI', 'FSP_TOKEN', 'FSP_LOG_LEVEL', 'FSP_HOME', 'FSP_', 'FSP_ZZZZZZZZZZZZZ'])
def test_variable_without_a_similar_one_is_reported_alone(name: str) -> None:
    assert unknown_variables({}, {name: HUSH}) == [f'the environment variable {name} is no setting']


def test_known_variables_are_not_reported() -> None:
    environ = dict.fromkeys((*map(variable, KEYS), *NO_SETTINGS, 'FSPX', 'AFSP_X'), 'x')
    environ |= {'FSP_CLIENTS': 'shop', 'FSP_CLIENT_SHOP_EGNYTE_TOKEN': 'x'}
    assert unknown_variables({}, environ) == []


def test_application_warns_of_unknown_variables_at_its_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv('FSP_CACHE_TLL', HUSH)
    main({}, **SANDBOX)
    lines = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert lines == ['the environment variable FSP_CACHE_TLL is no setting; did you mean FSP_CACHE_TTL?']


@pytest.mark.parametrize('quotes', ['""', "''", '“”', '‘’'])
@pytest.mark.parametrize('key', ['fsp.username', 'fsp.password', 'fsp.public.cache_dir', 'fsp.oauth.scope'])
def test_quotes_around_a_value_are_refused(key: str, quotes: str) -> None:
    line = complaint(key, f'{quotes[0]}{HUSH}{quotes[1]}')
    assert 'write it without the quotes' in line
    assert (HUSH in line) == (key not in SECRETS)


@pytest.mark.parametrize('comment', [' ; the one', ' # the one', '\t# x', ' #', '  ;'])
@pytest.mark.parametrize('key', ['fsp.username', 'fsp.password', 'fsp.public.cache_dir', 'fsp.oauth.scope'])
def test_comments_behind_a_value_are_refused(key: str, comment: str) -> None:
    line = complaint(key, f'{HUSH}{comment}x' if comment.endswith('the one') else f'{HUSH}{comment}')
    assert 'a comment stands on a line of its own' in line
    assert (HUSH in line) == (key not in SECRETS)


@pytest.mark.parametrize('password', ['a#b', 'a;b', '#a', ';', 'we are #1', '"', "it's", '"a"b', "'"])
def test_passwords_may_hold_quotes_and_comment_signs(password: str) -> None:
    assert parse_client({'fsp.password': password}).password == password


@pytest.mark.parametrize('prefix', ['/fsp', '/x/fsp', '/fsp-connect', '/fsp-ops'])
def test_base_url_with_another_prefix_is_refused(prefix: str) -> None:
    line = complaint('fsp.public.base_url', f'https://acme.com{prefix}')
    assert 'public files are not served there' in line
    assert parse({'fsp.public.base_url': 'https://acme.com/fsp-public'}).public.base_url


# Name of the application


@pytest.mark.parametrize(
    ('key', 'value', 'said'),
    [
        ('fsp.title', 'x' * 101, 'at most 100 characters'),
        ('fsp.title', 'Acme\nMailer', 'in one line'),
        ('fsp.title', 'Acme \u202e', 'in one line'),
        ('fsp.support_url', 'http://acme.com/help', 'write "https://HOST/PATH"'),
        ('fsp.support_url', 'javascript:alert(1)', 'write "https://HOST/PATH"'),
        ('fsp.support_url', 'mailto:help', '"mailto:NAME@HOST"'),
        ('fsp.support_url', 'help@acme.com', '"mailto:NAME@HOST"'),
        ('fsp.logo', '/nowhere/logo.png', 'this file cannot be read: No such file or directory'),
        ('fsp.logo', '/', 'this file cannot be read: Is a directory'),
        ('fsp.logo', __file__, 'this file is no picture'),
        ('fsp.connect.return_origins', 'app.example.com', '"app.example.com" must be like https://app.example.com'),
        ('fsp.connect.return_origins', 'https://app.example.com/', 'without a path'),
        ('fsp.connect.return_origins', 'https://app.example.com?', 'must be like'),
        ('fsp.connect.return_origins', 'https://a@app.example.com', 'must be like'),
        ('fsp.connect.return_origins', 'https://a.example.com http://b.example.com', '"http://b.example.com" must be'),
        ('fsp.connect.return_origins', '*', 'must be like'),
        ('fsp.connect.return_origins', 'https://*.example.com', 'must be like'),
    ],
)
def test_name_of_the_application_is_checked(key: str, value: str, said: str) -> None:
    line = complaint(key, value)
    assert line.startswith(f'{key}:')
    assert said in line


@pytest.mark.parametrize(
    'value', ['https://acme.com', 'https://acme.com/help?x=1#y', 'mailto:help@acme.com', 'mailto:a@b.c?subject=Egnyte']
)
def test_addresses_of_support(value: str) -> None:
    assert parse_client({'fsp.support_url': value}).support_url == value


def test_return_origins_are_written_as_browsers_do() -> None:
    text = 'https://App.Example.com:443, http://localhost:8080\nhttp://[::1]'
    origins = parse({'fsp.connect.return_origins': text}).connect.return_origins
    assert origins == ('https://app.example.com', 'http://localhost:8080', 'http://[::1]')


def test_logo_has_at_most_one_megabyte(tmp_path: Path) -> None:
    file = tmp_path / 'logo.bin'
    file.write_bytes(b'GIF89a'.ljust(1 << 20, b'x'))
    logo = parse_client({'fsp.logo': str(file)}).logo
    assert logo
    assert (logo.media_type, len(logo.content)) == ('image/gif', 1 << 20)
    assert 'xxx' not in repr(logo)
    file.write_bytes(b'GIF89a'.ljust((1 << 20) + 1, b'x'))
    assert 'larger than 1 MB' in complaint('fsp.logo', str(file))


def test_logo_of_a_client_is_named_in_its_complaint() -> None:
    ini = {'fsp.egnyte.url': 'sandbox:/tmp/e', 'fsp.clients': 'acme', 'fsp.client.acme.logo': '/nowhere.png'}
    ini |= {'fsp.client.acme.username': 'a', 'fsp.client.acme.password': 'a'}
    (line,) = complaints(ini)
    assert line.startswith('fsp.client.acme.logo:')
