"""Documentation: settings, errors, texts and modules in the pages match the code."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyramid.exceptions import ConfigurationError
from webtest import TestApp

from fsp_pyramid import egnyte, errors, main
from fsp_pyramid.diagnosis.assumptions import ASSUMPTIONS
from fsp_pyramid.protocol.uploads import open_source
from fsp_pyramid.settings import (
    FOLDERS,
    KEYS,
    SCHEMA,
    Settings,
    variable,
)
from fsp_pyramid.settings.server import DEFAULTS as SERVER_DEFAULTS
from fsp_pyramid.settings.server import VARIABLES as SERVER_VARIABLES
from fsp_pyramid.sources import TypePolicy
from fsp_pyramid.storage.egnyte_errors import as_fsp_errors
from fsp_pyramid.storage.mappings import parse_mappings
from fsp_pyramid.storage.name_rules import check_name

from .conftest import Source
from .protocol.test_calls import OPERATIONS
from .setting import value_of

ROOT = Path(__file__).parents[1]
DOCS, PACKAGE = ROOT / 'docs', ROOT / 'fsp_pyramid'
LEAST = {'fsp.username': 'u', 'fsp.password': 'p', 'fsp.egnyte.url': 'sandbox:/tmp/e'}
NO_EFFECT = 'No effect in this version'
KEY = r'``(fsp\.[\w.]+)``'


# Settings


class Documented(NamedTuple):
    """A setting in ``docs/settings.rst``."""

    default: str
    variable: str
    example: str
    text: str


def documented() -> dict[str, Documented]:
    _, *parts = re.split(rf'^{KEY}\n', (DOCS / 'settings.rst').read_text(), flags=re.MULTILINE)
    found = {}
    for key, body in zip(parts[::2], parts[1::2], strict=True):
        lines = re.match(r'    :default: (.*)\n    :variable: ``(.*)``\n    :example: ``(.*)``\n\n', body)
        assert lines, f'{key} does not have the three lines'
        found[key] = Documented(lines[1].strip('`'), lines[2], lines[3], ' '.join(body[lines.end() :].split()))
    return found


SETTINGS = documented()
# Defaults of the specification.
AGREED: dict[str, Any] = {
    'prefix': '/fsp',
    'public.prefix': '/fsp-public',
    'connect.prefix': '/fsp-connect',
    'ops.prefix': '/fsp-ops',
    'ops.metrics': False,
    'ops.token': '',
    'console.prefix': '/fsp-console',
    'console.local': False,
    'console.token': '',
    'console.permission': '',
    'welcome': False,
    'include_tm': True,
    'threads': 32,
    'shutdown.timeout': 20,
    'require_https': False,
    'egnyte.token': '',
    'egnyte.timeout': 30,
    'egnyte.max_wait': 10,
    'upload.on_conflict': 'replace',
    'upload.max_size': 20 * 1024 * 1024,
    'sources.timeout': 20,
    'cache.backend': 'memory',
    'cache.ttl': 60,
    'cache.memory': 128 << 20,
    'pace.backend': 'memory',
    'pace.reserve': 0.1,
    'redis_url': '',
    'database_url': '',
    'events.interval': 0,
    'accounts.mode': 'token',
    'accounts.keys': (),
    'public.secret': (),
    'public.base_url': '',
    'public.token': '',
    'public.max_age': 300,
    'public.revalidate': 86400,
    'public.cache_dir': '',
    'public.cache_size': 2 * 1024 * 1024 * 1024,
    'public.sendfile': 'none',
}


def name_of(key: str) -> str:
    return key.removeprefix('fsp.')


def parse(**more: str) -> Settings:
    return Settings.parse(LEAST | more, {})


def test_defaults_match_the_specification() -> None:
    settings = parse()
    assert {name: value_of(settings, f'fsp.{name}') for name in AGREED} == AGREED
    client = settings.clients['']
    (root,) = client.folders
    assert (root.directory, root.folder, root.read_only) == ((), ('Shared', 'Beefree', '{uid}'), False)
    assert client.sources.allow.entries == ()
    groups = 'image text video audio office xml zip epub pdf postscript font'
    assert client.upload.types == TypePolicy.parse(groups.split())
    others = {'folders', 'sources.allow', 'upload.types', *map(name_of, LEAST)}
    others |= {
        'clients',
        'client_ids',
        'read_only',
        'disabled',
        'language',
        'title',
        'support_url',
        'logo',
        'language_header',
        'timezone',
        'messages',
        'connect.lifetime',
        'connect.return_origins',
        'accounts.session',
        'public.cache_age',
    }
    others |= {f'oauth.{name}' for name in ('key', 'secret', 'scope', 'domain', 'domains', 'service_url')}
    assert set(map(name_of, KEYS)) == set(AGREED) | others


def test_exactly_the_known_settings_are_documented() -> None:
    assert sorted(SETTINGS) == sorted(KEYS)


@pytest.mark.parametrize('key', KEYS)
def test_documented_default_is_the_real_one(key: str) -> None:
    default = SETTINGS[key].default
    if key in LEAST:
        assert default == 'required'
        assert SCHEMA[key].required
    elif default in {'none', 'all groups'} and key != 'fsp.public.sendfile':
        # "none" must not hide a real default.
        assert key == 'fsp.upload.types' or not getattr(value_of(parse(), key), 'entries', SCHEMA[key].missing)
    else:
        assert parse(**{key: default}) == parse()


@pytest.mark.parametrize('key', KEYS)
def test_documented_variable_and_example_work(key: str) -> None:
    assert SETTINGS[key].variable == variable(key)
    name, _, value = SETTINGS[key].example.partition(' = ')
    assert name == key
    more = {'fsp.egnyte.token': 't', 'fsp.public.secret': 'x' * 32} if key == 'fsp.egnyte.url' else {}
    if key == 'fsp.clients':
        more = {'fsp.username': '', 'fsp.password': ''}
        more |= {f'fsp.client.{client}.{own}': client for client in value.split() for own in ('username', 'password')}
    settings = parse(**(more | {key: value}))
    assert (settings.clients if key == 'fsp.clients' else value_of(settings, key)) not in ('', None)


def test_both_defaults_of_the_folders_are_documented() -> None:
    assert 'With ``fsp.accounts.mode = oauth`` the default is ``/ {folder}``' in SETTINGS['fsp.folders'].text
    assert '``/ {folder}`` with accounts of users' in (DOCS / 'settings.rst').read_text()
    assert FOLDERS['oauth'] == parse_mappings('/ {folder}')


def test_variables_of_the_server_are_documented() -> None:
    rows = {row[0].strip('`'): row[1].strip('`') for row in table('settings.rst', 'Server variable')}
    assert set(rows) == set(SERVER_VARIABLES)
    for name, key in SERVER_VARIABLES.items():
        assert rows[name] == SERVER_DEFAULTS.get(key, 'none')


def test_settings_without_effect_are_marked() -> None:
    code = '\n'.join(path.read_text() for path in PACKAGE.rglob('*.py') if path.parent.name != 'settings')
    used = {key for key in KEYS if re.search(rf'(settings|own)\.{re.escape(name_of(key))}\b', code)}
    assert {key for key in KEYS if NO_EFFECT not in SETTINGS[key].text} == used


def test_settings_table_matches() -> None:
    section = (DOCS / 'settings.rst').read_text().split('\nAll settings\n')[1].split('\nCallers\n')[0]
    rows = re.findall(rf'^{KEY}( \*)?\s+(\S.*?)\s{{2,}}\S', section, re.MULTILINE)
    assert [key for key, _, _ in rows] == list(KEYS)
    for key, star, default in rows:
        assert default.strip('`') == SETTINGS[key].default, key
        assert bool(star) == (NO_EFFECT in SETTINGS[key].text), key


def test_shown_messages_are_real() -> None:
    shown = re.search(r'::\n\n    (fsp_pyramid cannot start.*?)\n\n', (DOCS / 'settings.rst').read_text(), re.DOTALL)
    assert shown
    ini = {'fsp.usernam': 'u', 'fsp.cache.ttl': '1 minute', **LEAST}
    del ini['fsp.username']
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(ini, {})
    assert str(caught.value) == re.sub(r'^    ', '', shown[1], flags=re.MULTILINE)


# Errors

KINDS = errors.FSPError.__subclasses__()


def table(page: str, header: str) -> list[list[str]]:
    """Return the rows of the csv table whose header begins with *header*."""
    text = (DOCS / page).read_text()
    body = re.search(rf'   :header: {header}.*\n(?:   :.*\n)*\n((?:   .*\n)+)', text)
    assert body, header
    return list(csv.reader(body[1].splitlines(), skipinitialspace=True))


def test_error_table_matches_the_code() -> None:
    rows = [(int(status), int(code), title) for status, code, title, _ in table('protocol.rst', 'Status')]
    assert rows == sorted((kind.status, kind.code, kind.title) for kind in KINDS)


def test_exactly_the_codes_are_explained_to_operators() -> None:
    rows = [(int(status), int(code)) for status, code, *_ in table('errors.rst', 'Status, Code, Cause')]
    assert rows == sorted((kind.status, kind.code) for kind in KINDS)


def test_each_page_is_in_one_group() -> None:
    groups = re.findall(r':caption: (.*)\n   :hidden:\n\n((?:   \w[\w-]*\n)+)', (DOCS / 'index.rst').read_text())
    assert [caption for caption, _ in groups] == ['Tutorials', 'How-to', 'Reference', 'Explanation']
    pages = [page for _, body in groups for page in body.split()]
    assert sorted(pages) == sorted({path.stem for path in DOCS.glob('*.rst')} - {'index'})


def raise_translated(error: egnyte.EgnyteError, name: str) -> None:
    with as_fsp_errors((name,)):
        raise error


def upload(url: str, name: str) -> None:
    with open_source(url, name, parse(**{'fsp.sources.allow': '127.0.0.1'}).clients['']):
        pass


def test_error_texts_for_marketers_match_the_code(source: Source) -> None:
    def raise_error(error: type[errors.FSPError]) -> None:
        raise error

    triggers: dict[str, Callable[[], None]] = {
        'Egnyte is not connected': lambda: raise_error(errors.NotConnected),
        'Connect Egnyte again': lambda: raise_error(errors.ConnectionExpired),
        'Daily limit reached': lambda: raise_translated(egnyte.QuotaExceeded('', wait=(3 * 60 + 11) * 60), 'a'),
        'Storage is busy': lambda: raise_translated(egnyte.Throttled('', wait=1), 'a'),
        'Name not allowed': lambda: check_name('50*off.png'),
        'File too large': lambda: upload(source.offer(bytes((20 << 20) + 1)), 'film.mp4'),
        'File type not allowed': lambda: upload(source.offer(b'MZ'), 'setup.exe'),
        'File is locked': lambda: raise_translated(egnyte.Locked(''), 'hero.jpg'),
    }
    documented_texts = dict(table('beefree.rst', 'Title, Text'))
    assert set(documented_texts) == {kind.title for kind in KINDS if kind.code >= 3900}
    for title, trigger in triggers.items():
        with pytest.raises(errors.FSPError) as caught:
            trigger()
        assert (caught.value.title, str(caught.value)) == (title, documented_texts[title])
    # The quickstart shows the last one.
    assert set(documented_texts) - set(triggers) == {'Folder is not empty'}


def test_field_table_matches_the_responses(tmp_path: Path) -> None:
    settings = LEAST | {'fsp.egnyte.url': f'sandbox:{tmp_path}', 'tm.manager_hook': 'pyramid_tm.explicit_manager'}
    app = TestApp(main({}, **settings))
    app.authorization = ('Basic', ('u', 'p'))
    data = app.get('/fsp/', headers={'X-BEE-ClientId': 'app', 'X-BEE-Uid': 'demo'}).json['data']
    types = {'text': str, 'integer': int, 'object': dict}
    fields = [(name.strip('`'), of, types[kind]) for name, of, kind, _ in table('protocol.rst', 'Field')]
    directory, file = data['meta'], next(item for item in data['items'] if not item['path'].endswith('/'))
    for meta, kind in ((directory, 'directories'), (file, 'files')):
        expected = {name: type_ for name, of, type_ in fields if of in {'all', kind}}
        assert {name: type(value) for name, value in meta.items()} == expected


# Beginning of a table row -> the counted operations that it describes.
COUNTED = {
    'list a directory,': ['list'],
    'metadata of a file': ['metadata'],
    'create a directory': ['create'],
    'delete a directory': ['delete a directory'],
    'upload a file': ['upload', 'upload, replace', 'upload, keep'],
    'upload into': ['upload, new editor_images'],
    'delete a file': ['delete a file'],
    'move a file (': ['move', 'move, keep'],
    'move a file and replace': ['move, replace'],
}


def test_call_table_has_the_counted_figures() -> None:
    rows = table('egnyte.rst', 'What, Nothing known')
    for beginning, names in COUNTED.items():
        ((_, cold, known),) = (row for row in rows if row[0].startswith(beginning))
        for name in names:
            *_, counted_cold, counted_known = OPERATIONS[name]
            assert (int(cold), int(known)) == (counted_cold, counted_known), name
    assert {name for names in COUNTED.values() for name in names} == set(OPERATIONS)


def test_exactly_the_checks_of_the_doctor_are_documented() -> None:
    modules = [*(PACKAGE / 'diagnosis').glob('*.py'), PACKAGE / 'scripts' / 'doctor.py']
    groups = '(?:settings|secrets|server|directories|redis|database|accounts|egnyte|folders|public|diagnosis)'
    used = {name for path in modules for name in re.findall(rf"'({groups}\.[a-z-]+)'", path.read_text())}
    assert {name.strip('`') for name, _ in table('doctor.rst', 'Id')} == used


def test_assumptions_are_documented() -> None:
    rows = [tuple(cell.strip('`') for cell in row) for row in table('assumptions.rst', 'Id')]
    assert rows == [
        (each.id, each.statement, f'{each.status}: {each.source}', each.switch, each.remedy) for each in ASSUMPTIONS
    ]
    decisions = ' '.join(row[2] for row in table('sandbox.rst', 'Question'))
    untabled = {'throttle', 'hourly_grants'}  # in the section about limits
    assert {each.switch for each in ASSUMPTIONS if each.switch not in decisions} - {''} == untabled


def test_every_module_is_in_the_architecture_page() -> None:
    page = (DOCS / 'architecture.rst').read_text().split('\nModules\n')[1].split('\nNames may change')[0]
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == '.py' or (path / '__init__.py').exists()}
    missing = {module for module in modules if f'``{module}``' not in page} - {'_version', 'scripts'}
    assert missing == set()
