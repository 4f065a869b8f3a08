"""Table of faults: what is wrong with a provider, and the check that has to find it."""

import base64
import json
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from .provider import (
    BASE,
    PASSWORD,
    USER,
    Answer,
    Call,
    Fault,
    File,
    Provider,
    error,
    parent,
    picture,
    success,
)

DROP = object()
RIGHT = 'Basic ' + base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()
When = Callable[[Call], bool]


@dataclass
class Planted(Fault):
    """A fault made of functions. *options* are more options of the checker."""

    on_call: Callable[[Provider, Call], Answer | None] = lambda _provider, _call: None
    on_meta: Callable[[dict[str, Any]], None] = lambda _meta: None
    on_answer: Callable[[Provider, Call, Answer], None] = lambda _provider, _call, _answer: None
    options: dict[str, Any] = field(default_factory=dict)

    def before(self, provider: Provider, call: Call) -> Answer | None:
        return self.on_call(provider, call)

    def meta(self, meta: dict[str, Any]) -> None:
        self.on_meta(meta)

    def after(self, provider: Provider, call: Call, answer: Answer) -> None:
        self.on_answer(provider, call, answer)


# Operations


def operation(method: str, *, directory: bool) -> When:
    return lambda call: (
        call.method == method
        and call.path.endswith('/') is directory
        and not call.path.startswith(('/public/', '/thumbnail/'))
    )


LIST, STAT = operation('GET', directory=True), operation('GET', directory=False)
CREATE, UPLOAD = operation('POST', directory=True), operation('POST', directory=False)
REMOVE, DELETE = operation('DELETE', directory=True), operation('DELETE', directory=False)
MOVE = operation('PATCH', directory=False)


def root(call: Call) -> bool:
    return LIST(call) and call.path == '/'


def public(call: Call) -> bool:
    return call.path.startswith('/public/')


def thumbnail(call: Call) -> bool:
    return call.path.startswith('/thumbnail/')


def taken(*strategies: Any, when: When = UPLOAD) -> When:
    """Match uploads onto a name that is taken, with one of *strategies*."""
    return lambda call: when(call) and call.taken and call.strategy in strategies


def sent(when: When, body: Callable[[Any], object]) -> When:
    """Match requests whose body is JSON that fits."""

    def fits(call: Call) -> bool:
        try:
            return when(call) and bool(body(call.json))
        except (ValueError, AttributeError):
            return False

    return fits


def name(call: Call) -> str:
    return call.path.rstrip('/').rpartition('/')[2]


def both(*conditions: When) -> When:
    return lambda call: all(condition(call) for condition in conditions)


# Kinds of faults


def instead(when: When, answer: Answer) -> Planted:
    """Answer something else, and do nothing."""
    return Planted(on_call=lambda _provider, call: copy(answer) if when(call) else None)


def rewritten(when: When, change: Callable[[Call], object]) -> Planted:
    """Understand another request than came."""
    return Planted(on_call=lambda _provider, call: change(call) and None if when(call) else None)


def doing(when: When, action: Callable[[dict[str, File | None], Call], object]) -> Planted:
    """Do something to the tree before the operation."""
    return Planted(on_call=lambda provider, call: action(provider.tree(call), call) and None if when(call) else None)


def done(when: When, action: Callable[[dict[str, File | None], Call], object], *of: int) -> Planted:
    """Do something to the tree after the operation, if its status is one of *of*."""

    def after(provider: Provider, call: Call, answer: Answer) -> None:
        if when(call) and (not of or answer.status in of):
            action(provider.tree(call), call)

    return Planted(on_answer=after)


def answered(when: When, change: Callable[[Answer], object], *of: int) -> Planted:
    """Do the right thing and answer another one, if the status is one of *of*."""

    def after(_provider: Provider, call: Call, answer: Answer) -> None:
        if when(call) and (not of or answer.status in of):
            change(answer)

    return Planted(on_answer=after)


def status(when: When, to: int, *of: int) -> Planted:
    return answered(when, lambda answer: setattr(answer, 'status', to), *of)


def code(when: When, to: int, of: int) -> Planted:
    def change(answer: Answer) -> None:
        if isinstance(answer.value, dict) and answer.value.get('code') == of:
            answer.value['code'] = to

    return answered(when, change)


def replaced(when: When, other: Answer, *of: int) -> Planted:
    return answered(when, lambda answer: answer.__dict__.update(copy(other).__dict__), *of)


def header(when: When, name: str, value: str | None, *of: int) -> Planted:
    def change(answer: Answer) -> None:
        answer.headers = {key: text for key, text in answer.headers.items() if key != name}
        answer.headers |= {} if value is None else {name: value}

    return answered(when, change, *of)


def data(when: When, change: Callable[[Any], Any], *of: int) -> Planted:
    """Change ``data`` of a success."""

    def changed(answer: Answer) -> None:
        if isinstance(answer.value, dict) and 'data' in answer.value:
            answer.value['data'] = change(answer.value['data'])

    return answered(when, changed, *(of or (200, 201)))


def own_meta(when: When, **fields: Any) -> Planted:
    """Change the metadata of the resource itself in an answer."""
    renamed = {key.replace('_', '-'): value for key, value in fields.items()}
    return data(when, lambda value: value | {'meta': value['meta'] | renamed})


def items(when: When, change: Callable[[list[Any]], list[Any]]) -> Planted:
    return data(when, lambda value: value | {'items': change(value['items'])})


def without(when: When, field: str, *of: int) -> Planted:
    return answered(when, lambda answer: answer.value.pop(field, None), *of)


def set_field(when: When, field: str, value: Any, *of: int) -> Planted:
    return answered(when, lambda answer: answer.value.update({field: value}), *of)


def meta(kind: str, field: str, value: Any) -> Planted:
    """Change a field of the metadata of all directories, all files, or the root."""

    def change(meta: dict[str, Any]) -> None:
        is_directory = meta['path'].endswith('/')
        if meta['path'] == '/' if kind == 'root' else is_directory is (kind == 'directory'):
            if value is DROP:
                meta.pop(field, None)
            else:
                meta[field] = value(meta) if callable(value) else value

    return Planted(on_meta=change)


def flat(when: When) -> Planted:
    """Metadata right in ``data``."""
    return data(when, lambda value: value['meta'])


# Actions


def login(call: Call) -> None:
    call.headers['AUTHORIZATION'] = RIGHT


def credentials(call: Call) -> tuple[str, str]:
    try:
        text = base64.b64decode(call.headers.get('AUTHORIZATION', '').partition(' ')[2]).decode()
    except ValueError:
        text = ''
    user, _, password = text.partition(':')
    return user, password


def denied(call: Call) -> bool:
    return call.headers.get('AUTHORIZATION') != RIGHT


def strategy(call: Call, value: str) -> None:
    call.body = json.dumps(call.json | {'conflict_strategy': value}).encode()


def renamed(call: Call, to: str) -> None:
    call.path = parent(call.path) + to + ('/' if call.path.endswith('/') else '')


def with_slash(tree: dict[str, File | None], call: Call) -> None:
    if f'{call.path}/' in tree:
        call.path += '/'


def without_slash(tree: dict[str, File | None], call: Call) -> None:
    if call.path.rstrip('/') in tree:
        call.path = call.path.rstrip('/')


def make_parents(tree: dict[str, File | None], call: Call) -> None:
    above = parent(call.path)
    while above not in tree:
        tree[above] = None
        above = parent(above)


def drop_below(tree: dict[str, File | None], call: Call) -> None:
    for path in [path for path in tree if path.startswith(call.path.rstrip('/') + '/') and path != call.path]:
        del tree[path]


def only_directories_below(tree: dict[str, File | None], call: Call) -> None:
    below = [path for path in tree if path.startswith(call.path) and path != call.path]
    if all(path.endswith('/') for path in below):
        drop_below(tree, call)


def emptied(tree: dict[str, File | None], path: str) -> None:
    file = tree.get(path)
    if file:
        file.content = b''


def new_id(tree: dict[str, File | None], path: str) -> None:
    file = tree.get(path)
    if file:
        file.id += 'x'


def target(call: Call) -> str:
    return call.json['new_path'] + name(call)


def copy_back(tree: dict[str, File | None], call: Call) -> None:
    tree.setdefault(call.path, tree.get(target(call)))


def make_target(tree: dict[str, File | None], call: Call) -> None:
    tree.setdefault(call.json['new_path'], None)


def drop_others(tree: dict[str, File | None], call: Call) -> None:
    for path in [path for path in tree if 'at-once' in path and path != call.path]:
        del tree[path]


def described(meta: dict[str, Any], path: str, mime_type: str = 'application/directory') -> dict[str, Any]:
    return meta | {'name': path.strip('/'), 'path': meta['path'] + path, 'mime-type': mime_type}


def listing_too(path: str, mime_type: str = 'application/directory') -> Planted:
    """List something that is not there."""
    return data(LIST, lambda value: value | {'items': [*value['items'], described(value['meta'], path, mime_type)]})


def grandchildren(provider: Provider, call: Call, answer: Answer) -> None:
    if LIST(call) and answer.status == 200:
        tree = provider.tree(call)
        below = [path for path in tree if path.startswith(call.path) and path != call.path]
        answer.value['data']['items'] = [provider.meta(tree, path) for path in below]


class Stale(Fault):
    """Public URLs show what they showed first, for ever."""

    def __init__(self, *, also_first_version: bool = False) -> None:
        self._first: dict[str, bytes] = {}
        self._also_first_version = also_first_version

    def after(self, provider: Provider, call: Call, answer: Answer) -> None:
        for tree in provider.trees.values():
            for file in filter(None, tree.values()):
                self._first.setdefault(file.id, file.content)
        if public(call):
            content = self._first[call.path.split('/')[2]]
            if self._also_first_version or answer.status == 404:
                answer.status, answer.body = 200, content


def used_before(provider: Provider, call: Call) -> Answer | None:
    used = UPLOAD(call) and ('DELETE', BASE + call.path) in provider.calls
    return error(403, 3400) if used else None


def cut(_provider: Provider, _call: Call) -> Answer | None:
    raise ConnectionAbortedError


def uid(when: When, change: Callable[[str], str]) -> Planted:
    """Take another uid for the same."""
    return rewritten(when, lambda call: call.headers.update({'X-BEE-UID': change(call.headers['X-BEE-UID'])}))


def _html(status: int) -> Answer:
    return Answer(status, body=b'<html>Oops</html>', headers={'Content-Type': 'text/html'})


def any_call(_call: Call) -> bool:
    return True


def fails(when: When) -> Planted:
    return instead(when, error(500, 3001))


def refuses(when: When) -> Planted:
    return instead(when, error(400, 3905))


def other(call: Call) -> bool:
    return call.headers.get('X-BEE-UID', '').endswith('-other')


def shared_with_others(when: When) -> Planted:
    return uid(both(when, other), lambda value: value.removesuffix('-other'))


AWAY = {'local': False}
FAULTS: dict[str, Fault] = {
    'transport.answers': Planted(on_call=cut),
    'transport.https': Planted(options=AWAY),
    'transport.base-url': Planted(options={'slash': '/'}),
    'transport.redirect': replaced(root, Answer(302, body=b'', headers={'Location': '/login'})),
    'transport.json': replaced(root, _html(200)),
    'transport.content-type': header(root, 'Content-Type', 'text/html'),
    'transport.utf-8': answered(
        root, lambda answer: setattr(answer, 'body', json.dumps(answer.value).encode('utf-16'))
    ),
    'transport.no-slash': instead(lambda call: call.bare, error(404, 3200)),
    'transport.head': instead(lambda call: call.method == 'HEAD', error(405, 3500)),
    'transport.query': instead(lambda call: bool(call.query), error(404, 3200)),
    'authentication.accepted': instead(any_call, error(401, 3650)),
    'authentication.wrong-password': rewritten(lambda call: credentials(call)[0] == USER, login),
    'authentication.wrong-username': rewritten(lambda call: credentials(call)[1] == PASSWORD, login),
    'authentication.missing': rewritten(lambda call: 'AUTHORIZATION' not in call.headers, login),
    'authentication.empty-password': rewritten(lambda call: credentials(call) == (USER, ''), login),
    'authentication.other-scheme': rewritten(lambda call: call.headers.get('AUTHORIZATION', '')[:6] == 'Bearer', login),
    'authentication.malformed': fails(lambda call: '%' in call.headers.get('AUTHORIZATION', '')),
    'authentication.scheme-case': instead(
        lambda call: call.headers.get('AUTHORIZATION', '')[:1] == 'b', error(401, 3650)
    ),
    'authentication.challenge': header(any_call, 'WWW-Authenticate', None),
    'authentication.error': replaced(any_call, _html(401), 401),
    'authentication.code': code(any_call, 401, 3650),
    'authentication.first': instead(both(STAT, denied), error(404, 3200)),
    'authentication.writing': rewritten(both(CREATE, denied), login),
    'metadata.directory-mime-type': meta('directory', 'mime-type', 'folder'),
    'metadata.directory-name': meta('directory', 'name', None),
    'metadata.directory-path': meta('directory', 'path', lambda meta: meta['path'][1:]),
    'metadata.directory-last-modified': meta('directory', 'last-modified', '2015-10-21'),
    'metadata.directory-milliseconds': meta('directory', 'last-modified', 1432982102),
    'metadata.directory-size': meta('directory', 'size', 4096),
    'metadata.directory-permissions': meta('directory', 'permissions', 'w'),
    'metadata.directory-extra': meta('directory', 'extra', []),
    'metadata.item-count': meta('directory', 'item-count', '3'),
    'metadata.root-path': meta('root', 'path', '/fsp/'),
    'metadata.root-name': meta('root', 'name', 'home'),
    'metadata.file-envelope': flat(STAT),
    'metadata.file-mime-type': meta('file', 'mime-type', 'png'),
    'metadata.file-name': meta('file', 'name', lambda meta: meta['path']),
    'metadata.file-path': meta('file', 'path', lambda meta: meta['name']),
    'metadata.file-last-modified': meta('file', 'last-modified', 1.5),
    'metadata.file-milliseconds': meta('file', 'last-modified', 1432982102),
    'metadata.file-now': meta('file', 'last-modified', 1432982102000),
    'metadata.file-size': meta('file', 'size', '12 KB'),
    'metadata.file-permissions': meta('file', 'permissions', DROP),
    'metadata.file-extra': meta('file', 'extra', []),
    'metadata.can-move': meta('file', 'extra', {}),
    'metadata.public-url': meta('file', 'public-url', '/public/1'),
    'metadata.public-url-encoded': meta('file', 'public-url', 'https://example.com/my pic.png'),
    'metadata.thumbnail': meta('file', 'thumbnail', None),
    'metadata.thumbnail-encoded': meta('file', 'thumbnail', 'https://example.com/ü.png'),
    'metadata.consistent': items(LIST, lambda items: [item | {'size': 1} for item in items]),
    'listing.success': fails(root),
    'listing.root': data(root, lambda _value: 5),
    'listing.status': status(LIST, 206, 200),
    'listing.envelope': answered(root, lambda answer: setattr(answer, 'value', answer.value['data']), 200),
    'listing.data': data(LIST, lambda value: value['items']),
    'listing.meta': data(root, lambda value: {'items': value['items']}),
    'listing.items': items(LIST, lambda items: [{'name': item['name']} for item in items]),
    'listing.paths': items(root, lambda items: [item | {'path': f'/fsp{item["path"]}'} for item in items]),
    'listing.unique': items(LIST, lambda items: items + items),
    'listing.directories-first': items(LIST, lambda items: items[::-1]),
    'listing.sorted': items(LIST, lambda items: items[::-1]),
    'listing.new-directory': items(root, lambda items: [item for item in items if 'fsp-check' not in item['name']]),
    'listing.empty': data(LIST, lambda value: value | {'items': value['items'] or [described(value['meta'], '../')]}),
    'listing.new-file': items(LIST, lambda items: [item for item in items if 'public-url' not in item]),
    'listing.children': Planted(on_answer=grandchildren),
    'listing.subdirectory': items(lambda call: LIST(call) and call.path.count('/') > 2, lambda _items: []),
    'listing.missing': status(LIST, 500, 404),
    'listing.file-as-directory': doing(LIST, without_slash),
    'listing.directory-as-file': doing(STAT, with_slash),
    'listing.item-count': meta('root', 'item-count', 99),
    'listing.move-flag': rewritten(any_call, lambda call: call.headers.pop('X-BEE-FSP-FLAGS', None)),
    'listing.move-flag-case': rewritten(
        lambda call: call.headers.get('X-BEE-FSP-FLAGS') == 'MOVE', lambda call: call.headers.pop('X-BEE-FSP-FLAGS')
    ),
    'listing.other-headers': refuses(lambda call: 'X-BEE-DOCUMENT-ID' in call.headers),
    'listing.write-permission': own_meta(CREATE, permissions='ro'),
    'directories.create': fails(CREATE),
    'directories.status': status(CREATE, 200, 201),
    'directories.envelope': flat(CREATE),
    'directories.path': own_meta(CREATE, path='/'),
    'directories.path-slash': data(
        CREATE, lambda value: {'meta': value['meta'] | {'path': value['meta']['path'].rstrip('/')}}
    ),
    'directories.nested': refuses(lambda call: CREATE(call) and call.path.count('/') > 2),
    'directories.exists': replaced(CREATE, success({'meta': {}}, 201), 403),
    'directories.exists-status': status(CREATE, 409, 403),
    'directories.orphan': doing(CREATE, make_parents),
    'directories.orphan-status': status(CREATE, 404, 403),
    'directories.orphan-code': code(CREATE, 3301, 3300),
    'directories.file-in-the-way': doing(CREATE, lambda tree, call: tree.pop(call.path.rstrip('/'), None)),
    'directories.keeps-files': doing(CREATE, drop_below),
    'upload.file': fails(UPLOAD),
    'upload.status': status(UPLOAD, 200, 201),
    'upload.envelope': flat(UPLOAD),
    'upload.path': own_meta(UPLOAD, path='/'),
    'upload.size': meta('file', 'size', 1),
    'upload.mime-type': meta('file', 'mime-type', 'application/octet-stream'),
    'upload.orphan': doing(UPLOAD, make_parents),
    'upload.orphan-status': status(UPLOAD, 404, 403),
    'upload.broken-source': replaced(UPLOAD, success({'meta': {}}, 201), 422),
    'upload.broken-source-leaves-nothing': done(
        UPLOAD, lambda tree, call: tree.update({call.path: File(b'', 'image/png', 0, 'broken')}), 422
    ),
    'upload.broken-source-code': status(UPLOAD, 500, 422),
    'upload.no-source': instead(sent(UPLOAD, lambda body: body == {}), success(None)),
    'upload.no-json': fails(lambda call: UPLOAD(call) and not call.body.endswith((b'}', b']'))),
    'upload.array': fails(sent(UPLOAD, lambda body: isinstance(body, list))),
    'upload.source-number': fails(sent(UPLOAD, lambda body: body.get('source') == 5)),
    'upload.source-scheme': instead(sent(UPLOAD, lambda body: body['source'][:5] == 'file:'), success(None)),
    'upload.more-fields': refuses(sent(UPLOAD, lambda body: body.keys() - {'source', 'conflict_strategy'})),
    'upload.text': meta('file', 'mime-type', lambda meta: meta['mime-type'].replace('text/plain', 'text/html')),
    'upload.jpeg': meta('file', 'mime-type', lambda meta: meta['mime-type'].replace('jpeg', 'jpg')),
    'upload.no-suffix': refuses(lambda call: UPLOAD(call) and '.' not in name(call)),
    'upload.signed-source': rewritten(
        sent(UPLOAD, lambda body: '?' in body['source']),
        lambda call: setattr(call, 'body', unquote(call.body.decode()).encode()),
    ),
    'upload.redirected-source': instead(sent(UPLOAD, lambda body: 'redirect' in body['source']), error(422, 3450)),
    'upload.at-once': done(UPLOAD, drop_others),
    'conflicts.plain': fails(taken(None)),
    'conflicts.coherent': own_meta(taken(None), path='/other.png'),
    'conflicts.keep': rewritten(taken('keep'), lambda call: strategy(call, 'replace')),
    'conflicts.keep-old': done(taken('keep'), lambda tree, call: emptied(tree, call.path)),
    'conflicts.keep-number': rewritten(taken('keep'), lambda call: renamed(call, f'copy of {name(call)}')),
    'conflicts.keep-again': rewritten(
        taken('keep'), lambda call: (renamed(call, name(call).replace('.', '_1.')), strategy(call, 'replace'))
    ),
    'conflicts.keep-free': rewritten(
        lambda call: UPLOAD(call) and call.strategy == 'keep' and not call.taken,
        lambda call: renamed(call, name(call).replace('.', '_0.')),
    ),
    'conflicts.replace': rewritten(taken('replace'), lambda call: strategy(call, 'keep')),
    'conflicts.replace-count': done(
        taken('replace'), lambda tree, call: tree.update({f'{call.path}.old': copy(tree[call.path])})
    ),
    'conflicts.replace-url': doing(taken('replace'), lambda tree, call: new_id(tree, call.path)),
    'conflicts.ask': status(taken('ask'), 200, 409),
    'conflicts.ask-code': code(taken('ask'), 3401, 3400),
    'conflicts.ask-unchanged': doing(taken('ask'), lambda tree, call: emptied(tree, call.path)),
    'conflicts.ask-free': instead(
        lambda call: UPLOAD(call) and call.strategy == 'ask' and not call.taken, error(409, 3400)
    ),
    'conflicts.empty': refuses(taken('')),
    'conflicts.unknown': rewritten(taken('fsp-check'), lambda call: strategy(call, 'replace')),
    'conflicts.directory': doing(UPLOAD, lambda tree, call: tree.pop(f'{call.path}/', None)),
    'move.file': fails(MOVE),
    'move.status': status(MOVE, 201, 200),
    'move.envelope': flat(MOVE),
    'move.path': own_meta(MOVE, path='/'),
    'move.gone': done(MOVE, copy_back, 200),
    'move.size': done(MOVE, lambda tree, call: emptied(tree, target(call)), 200),
    'move.public-url': done(MOVE, lambda tree, call: new_id(tree, target(call)), 200),
    'move.missing': status(MOVE, 403, 404),
    'move.orphan': doing(sent(MOVE, lambda body: 'missing' in body['new_path']), make_target),
    'move.conflict': rewritten(taken(None, when=MOVE), lambda call: strategy(call, 'replace')),
    'move.conflict-code': code(MOVE, 3401, 3400),
    'move.conflict-unchanged': done(MOVE, lambda tree, call: tree.pop(call.path), 409),
    'move.ask': rewritten(taken('ask', when=MOVE), lambda call: strategy(call, 'replace')),
    'move.cancel': rewritten(taken('', when=MOVE), lambda call: strategy(call, 'replace')),
    'move.keep': rewritten(taken('keep', when=MOVE), lambda call: strategy(call, 'replace')),
    'move.replace': rewritten(taken('replace', when=MOVE), lambda call: strategy(call, 'keep')),
    'move.same-place': done(MOVE, lambda tree, call: tree.pop(call.path) if target(call) == call.path else None, 200),
    'move.no-path': fails(sent(MOVE, lambda body: 'new_path' not in body)),
    'move.path-number': fails(sent(MOVE, lambda body: body.get('new_path') == 5)),
    'delete.file': instead(DELETE, success(None)),
    'delete.file-status': status(DELETE, 202, 200),
    'delete.file-data': data(DELETE, lambda _value: {}),
    'delete.file-unlisted': listing_too('delete.png', 'image/png'),
    'delete.missing-file': replaced(DELETE, success(None), 404),
    'delete.directory': instead(REMOVE, success(None)),
    'delete.directory-status': status(REMOVE, 202, 200),
    'delete.directory-data': without(REMOVE, 'data', 200),
    'delete.directory-unlisted': listing_too('delete/'),
    'delete.missing-directory': replaced(REMOVE, success(None), 404),
    'delete.not-empty': doing(REMOVE, drop_below),
    'delete.not-empty-directory': doing(REMOVE, only_directories_below),
    'delete.not-empty-status': status(REMOVE, 500, 403),
    'delete.file-as-directory': doing(REMOVE, without_slash),
    'delete.directory-as-file': doing(DELETE, with_slash),
    'delete.again': Planted(on_call=used_before),
    'names.blank': refuses(lambda call: CREATE(call) and ' ' in name(call)),
    'names.parentheses': refuses(lambda call: CREATE(call) and '(' in name(call)),
    'names.punctuation': refuses(lambda call: CREATE(call) and '.' in name(call)),
    'names.capitals': rewritten(CREATE, lambda call: renamed(call, name(call).lower())),
    'names.digits': refuses(lambda call: CREATE(call) and name(call).isdecimal()),
    'names.path-decoded': meta('directory', 'path', lambda meta: quote(meta['path'])),
    'names.file-blank': refuses(lambda call: UPLOAD(call) and ' ' in name(call)),
    'names.public-url': instead(lambda call: public(call) and ' ' in name(call), error(404, 3200)),
    'names.plus': rewritten(UPLOAD, lambda call: renamed(call, name(call).replace('+', ' '))),
    'names.percent': rewritten(UPLOAD, lambda call: renamed(call, unquote(name(call)))),
    'names.ampersand': rewritten(UPLOAD, lambda call: renamed(call, name(call).partition('&')[0])),
    'names.unicode': refuses(lambda call: CREATE(call) and not name(call).isascii()),
    'names.emoji': fails(lambda call: any(ord(letter) > 0xFFFF for letter in call.path)),
    'names.long': fails(lambda call: len(call.path) > 200),
    'names.dot-dot': rewritten(lambda call: '..' in call.path, lambda call: setattr(call, 'path', '/')),
    'names.null': fails(lambda call: '\0' in call.path and '\ufffd' not in call.path),
    'names.bad-utf-8': fails(lambda call: '\ufffd' in call.path),
    'errors.status': status(STAT, 400, 404),
    'errors.json': replaced(STAT, _html(404), 404),
    'errors.content-type': header(STAT, 'Content-Type', 'text/plain', 404),
    'errors.code': without(STAT, 'code', 404),
    'errors.code-3200': code(STAT, 404, 3200),
    'errors.message': without(STAT, 'message', 404),
    'errors.details': without(STAT, 'details', 404),
    'errors.status-field': without(STAT, 'status', 404),
    'errors.trace': set_field(STAT, 'details', 'Traceback (most recent call last)', 404),
    'errors.secrets': set_field(STAT, 'details', f'{PASSWORD} was right', 404),
    'errors.no-uid': rewritten(any_call, lambda call: call.headers.setdefault('X-BEE-UID', 'nobody')),
    'errors.no-client-id': rewritten(any_call, lambda call: call.headers.setdefault('X-BEE-CLIENTID', 'nothing')),
    'errors.strange-uid': uid(lambda call: '..' in call.headers.get('X-BEE-UID', ''), lambda _value: 'root'),
    'errors.method': status(any_call, 404, 405),
    'errors.method-allow': header(any_call, 'Allow', None),
    'errors.bad-request-code': code(UPLOAD, 400, 3500),
    'public.works': status(public, 403),
    'public.content': answered(public, lambda answer: setattr(answer, 'body', picture())),
    'public.size': answered(public, lambda answer: setattr(answer, 'body', b'x')),
    'public.content-type': header(public, 'Content-Type', 'application/octet-stream'),
    'public.https': Planted(options=AWAY),
    'public.secrets': meta('file', 'public-url', lambda meta: f'{meta["public-url"]}?key={PASSWORD}'),
    'public.head': instead(lambda call: public(call) and call.method == 'HEAD', error(405, 3500)),
    'public.cookies': header(public, 'Set-Cookie', 'a=b'),
    'public.validator': header(public, 'ETag', None),
    'public.not-modified': rewritten(public, lambda call: call.headers.pop('IF-NONE-MATCH', None)),
    'public.cache-control': header(public, 'Cache-Control', None),
    'public.replaced': Stale(also_first_version=True),
    'public.deleted': Stale(),
    'thumbnails.offered': meta('file', 'thumbnail', DROP),
    'thumbnails.works': status(thumbnail, 401),
    'thumbnails.picture': answered(thumbnail, lambda answer: setattr(answer, 'body', b'no picture')),
    'thumbnails.bounds': answered(thumbnail, lambda answer: setattr(answer, 'body', picture((400, 250)))),
    'thumbnails.ratio': answered(thumbnail, lambda answer: setattr(answer, 'body', picture((200, 200)))),
    'thumbnails.content-type': header(thumbnail, 'Content-Type', 'text/plain'),
    'thumbnails.not-enlarged': answered(thumbnail, lambda answer: setattr(answer, 'body', picture((200, 150)))),
    'thumbnails.text': meta('file', 'thumbnail', lambda meta: meta.get('thumbnail', f'{meta["public-url"]}#none')),
    'isolation.listing': shared_with_others(root),
    'isolation.directory': shared_with_others(LIST),
    'isolation.file': shared_with_others(STAT),
    'isolation.delete': shared_with_others(DELETE),
    'isolation.case': uid(lambda call: call.headers.get('X-BEE-UID', '').isupper(), str.lower),
}
