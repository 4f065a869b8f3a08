"""A file system provider in memory that does what Beefree's page says, and servers for it."""

import base64
import io
import itertools
import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote_to_bytes
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from PIL import Image

BASE, USER, PASSWORD = '/fsp', 'beefree', 'secret-word'
TITLES = {3200: 'Not found', 3300: 'Forbidden', 3400: 'Conflict', 3450: 'Bad source', 3500: 'Bad request', 3650: 'Who?'}


@dataclass
class Call:
    """A request below the base URL, or for a public URL."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str
    bare: bool = False
    taken: bool = False

    @property
    def is_directory(self) -> bool:
        return self.path.endswith('/')

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def strategy(self) -> Any:
        return self.json.get('conflict_strategy')


@dataclass
class Answer(Exception):
    """An answer; raised, it ends the request."""

    status: int
    value: Any = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: {'Content-Type': 'application/json'})

    def content(self) -> bytes:
        return json.dumps(self.value).encode() if self.body is None else self.body


def success(data: Any, status: int = 200) -> Answer:
    return Answer(status, {'status': 'success', 'data': data})


def error(status: int, code: int, **headers: str) -> Answer:
    value = {'status': 'error', 'code': code, 'message': TITLES.get(code, 'Error'), 'details': 'Something is wrong'}
    return Answer(status, value, headers={'Content-Type': 'application/json', **headers})


@dataclass
class File:
    content: bytes
    mime_type: str
    modified: int
    id: str
    version: int = 0


class Fault:
    """Three places where a provider may go wrong. The methods do nothing here."""

    def before(self, provider: 'Provider', call: Call) -> Answer | None:
        """Change the request, or answer it."""

    def meta(self, meta: dict[str, Any]) -> None:
        """Change metadata before they are sent."""

    def after(self, provider: 'Provider', call: Call, answer: Answer) -> None:
        """Change an answer."""


class Provider:
    """The application. Each uid has a tree of its own.

    :ivar calls: all that was asked, as (method, path)
    """

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault or Fault()
        self.trees: dict[str, dict[str, File | None]] = {}
        self.calls: list[tuple[str, str]] = []
        self._ids, self._lock = itertools.count(1), threading.RLock()
        self.url = ''

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        call = _call(environ)
        self.calls.append((call.method, call.path))  # without the lock: it may fetch a source from itself
        try:
            answer = self._answer(call)
        except Answer as raised:
            answer = raised
        self.fault.after(self, call, answer)
        body = answer.content()
        headers = [('Content-Length', str(len(body))), *answer.headers.items()]
        start_response(f'{answer.status} Status', headers)
        return [b'' if call.method == 'HEAD' else body]

    def _answer(self, call: Call) -> Answer:
        if call.path.startswith(('/public/', '/thumbnail/')):
            return self.fault.before(self, call) or self.public(call)
        assert call.path.startswith(BASE)
        call.path, call.bare = call.path.removeprefix(BASE) or '/', call.path == BASE
        call.taken = call.path in self.trees.get(call.headers.get('X-BEE-UID', ''), {})
        answer = self.fault.before(self, call)
        if answer:
            return answer
        self.check(call)
        kind = 'directory' if call.is_directory else 'file'
        handler = getattr(self, f'{call.method.lower().replace("head", "get")}_{kind}', None)
        if handler is None:
            raise error(405, 3500, Allow='GET, HEAD, POST, DELETE')
        with self._lock:
            return handler(call, self.tree(call))

    # Rules

    def check(self, call: Call) -> None:
        if call.headers.get('AUTHORIZATION', '').partition(' ')[2] != _credentials():
            raise error(401, 3650, **{'WWW-Authenticate': 'Basic realm="fsp"'})
        if call.headers['AUTHORIZATION'].partition(' ')[0].lower() != 'basic':
            raise error(401, 3650, **{'WWW-Authenticate': 'Basic realm="fsp"'})
        for name in ('X-BEE-CLIENTID', 'X-BEE-UID'):
            if not re.fullmatch(r'[\w-]{1,200}', call.headers.get(name, '')):
                raise error(400, 3500)
        names = call.path.strip('/').split('/')
        if any(name in {'.', '..'} or len(name) > 255 or not name.isprintable() for name in names):
            raise error(400, 3500)

    def tree(self, call: Call) -> dict[str, File | None]:
        """Directories end with a slash and are None."""
        logo = self.file(picture(), 'image/png')
        fresh: dict[str, File | None] = {'/': None, '/archive/': None, '/shared/': None, '/shared/logo.png': logo}
        return self.trees.setdefault(call.headers['X-BEE-UID'], fresh)

    def file(self, content: bytes, mime_type: str) -> File:
        return File(content, mime_type, int(time.time() * 1000), f'f{next(self._ids)}')

    # Operations

    def get_directory(self, call: Call, tree: dict[str, File | None]) -> Answer:
        found(tree, call.path)
        only = call.headers.get('X-BEE-FSP-FLAGS', '').lower() == 'move'
        children = [path for path in tree if path != call.path and parent(path) == call.path]
        children = [path for path in children if path.endswith('/') or not only]
        children.sort(key=lambda path: (not path.endswith('/'), path.lower()))
        return success({'meta': self.meta(tree, call.path), 'items': [self.meta(tree, path) for path in children]})

    def get_file(self, call: Call, tree: dict[str, File | None]) -> Answer:
        found(tree, call.path)
        return success({'meta': self.meta(tree, call.path)})

    def post_directory(self, call: Call, tree: dict[str, File | None]) -> Answer:
        if parent(call.path) not in tree:
            raise error(403, 3300)
        if call.path in tree or call.path.rstrip('/') in tree:
            raise error(403, 3400)
        tree[call.path] = None
        return success({'meta': self.meta(tree, call.path)}, 201)

    def post_file(self, call: Call, tree: dict[str, File | None]) -> Answer:
        body = _body(call)
        source, strategy = body.get('source'), body.get('conflict_strategy')
        if not isinstance(source, str) or not source.startswith('http') or strategy not in STRATEGIES:
            raise error(400, 3500)
        if parent(call.path) not in tree:
            raise error(403, 3300)
        path = self.place(tree, call.path, strategy or 'replace')
        content = fetch(source)
        former = tree.get(path)
        if former:
            former.content, former.modified, former.version = content, former.modified + 1, former.version + 1
        else:
            tree[path] = self.file(content, mime_type(content))
        return success({'meta': self.meta(tree, path)}, 201)

    def place(self, tree: dict[str, File | None], path: str, strategy: str) -> str:
        """Return the path under which a file goes to *path*."""
        if f'{path}/' in tree:
            raise error(409, 3401)
        if path not in tree or strategy == 'replace':
            return path
        if strategy == 'ask':
            raise error(409, 3400)
        stem, dot, suffix = path.rpartition('.')
        numbered = (f'{stem}_{number}{dot}{suffix}' for number in itertools.count(1))
        return next(free for free in numbered if free not in tree)

    def patch_file(self, call: Call, tree: dict[str, File | None]) -> Answer:
        body = _body(call)
        directory, strategy = body.get('new_path'), body.get('conflict_strategy')
        if not isinstance(directory, str) or strategy not in STRATEGIES:
            raise error(400, 3500)
        file = found(tree, call.path)
        found(tree, directory)
        target = directory + call.path.rpartition('/')[2]
        if target != call.path:
            path = self.place(tree, target, strategy or 'ask')
            tree[path] = file
            del tree[call.path]
            target = path
        return success({'meta': self.meta(tree, target)})

    def delete_file(self, call: Call, tree: dict[str, File | None]) -> Answer:
        found(tree, call.path)
        del tree[call.path]
        return success(None)

    def delete_directory(self, call: Call, tree: dict[str, File | None]) -> Answer:
        found(tree, call.path)
        if any(parent(path) == call.path for path in tree):
            raise error(403, 3908)
        del tree[call.path]
        return success(None)

    def public(self, call: Call) -> Answer:
        _, kind, id_, *_ = call.path.split('/')
        files = {file.id: file for tree in list(self.trees.values()) for file in list(tree.values()) if file}
        if id_ not in files or call.method not in {'GET', 'HEAD'}:
            return Answer(404, body=b'', headers={})
        file = files[id_]
        etag = f'"{id_}-{file.version}"'
        headers = {'Content-Type': file.mime_type, 'ETag': etag, 'Cache-Control': 'max-age=300'}
        if call.headers.get('IF-NONE-MATCH') == etag:
            return Answer(304, body=b'', headers={'ETag': etag})
        body = thumbnail(file.content) if kind == 'thumbnail' else file.content
        return Answer(200, body=body, headers=headers)

    def meta(self, tree: dict[str, File | None], path: str) -> dict[str, Any]:
        file = tree[path]
        name = path.rstrip('/').rpartition('/')[2] or 'root'
        meta: dict[str, Any] = {'name': name, 'path': path, 'permissions': 'rw'}
        if file is None:
            count = sum(parent(other) == path for other in tree)
            meta |= {'mime-type': 'application/directory', 'last-modified': 1432982102000, 'size': 0}
            meta |= {'item-count': count - (path == '/'), 'extra': {}}
        else:
            meta |= {'mime-type': file.mime_type, 'last-modified': file.modified, 'size': len(file.content)}
            meta |= {'public-url': f'{self.url}/public/{file.id}/{quote(name)}', 'extra': {'can-move': True}}
            if file.mime_type.startswith('image/'):
                meta['thumbnail'] = f'{self.url}/thumbnail/{file.id}/{file.version}'
        self.fault.meta(meta)
        return meta


STRATEGIES = (None, '', 'keep', 'replace', 'ask')


def parent(path: str) -> str:
    return path.rstrip('/').rpartition('/')[0] + '/'


def found(tree: dict[str, File | None], path: str) -> File | None:
    if path not in tree:
        raise error(404, 3200)
    return tree[path]


def fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()
    except HTTPError as failure:
        failure.close()
        raise error(422, 3450) from failure
    except (OSError, ValueError) as failure:
        raise error(422, 3450) from failure


def mime_type(content: bytes) -> str:
    for start, kind in ((b'\x89PNG', 'image/png'), (b'\xff\xd8', 'image/jpeg')):
        if content.startswith(start):
            return kind
    return 'text/plain'


def picture(size: tuple[int, int] = (40, 30)) -> bytes:
    stream = io.BytesIO()
    Image.new('RGB', size, 'teal').save(stream, 'PNG')
    return stream.getvalue()


def thumbnail(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        image.thumbnail((200, 200))
        stream = io.BytesIO()
        image.convert('RGB').save(stream, 'PNG')
    return stream.getvalue()


def _credentials() -> str:
    return base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()


def _body(call: Call) -> dict[str, Any]:
    try:
        value = call.json
    except ValueError as failure:
        raise error(400, 3500) from failure
    if not isinstance(value, dict):
        raise error(400, 3500)
    return value


def _call(environ: dict[str, Any]) -> Call:
    raw = environ['RAW_PATH']
    path = unquote_to_bytes(raw).decode(errors='replace')
    headers = {name[5:].replace('_', '-'): value for name, value in environ.items() if name.startswith('HTTP_')}
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    # REPLACEMENT CHARACTER is printable, and no file has it in its name.
    bad = '\x00' if '\ufffd' in path else ''
    return Call(environ['REQUEST_METHOD'], path + bad, headers, body, environ['QUERY_STRING'])


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {'RAW_PATH': self.path.partition('?')[0]}

    def log_message(self, *arguments: object) -> None:
        pass


class Server(ThreadingMixIn, WSGIServer):
    """A server on 127.0.0.1 of whatever application it is given."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.root = f'http://127.0.0.1:{self.server_port}'

    def serve(self, provider: Provider) -> str:
        """Serve *provider* from now on. Return its base URL."""
        provider.url = self.root
        self.set_app(provider)
        return self.root + BASE


@contextmanager
def running_server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
