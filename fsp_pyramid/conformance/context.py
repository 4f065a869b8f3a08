"""Shared context of the checks: responses that several of them examine, each requested once, at its first use."""

import functools
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from . import sources
from .http import Client, Reply, basic
from .model import Options, Skip, TransportError, Unusable
from .reading import Meta, child, is_directory, items_of, meta_of, metas_of, names_of, text_of
from .sources import Source, SourceServer

T = TypeVar('T')
# Requests for the answers below, and for cleaning up, at the most: see Context.
SHARED_READING, SHARED_WRITING = 10, 45
_LOOKED_INTO = 4


def shared(make: Callable[['Context'], T]) -> property:
    """Return a property that is made once. An exception is kept as well, so that nothing is waited for twice."""
    name = f'_{make.__name__}'

    @functools.wraps(make)
    def get(self: 'Context') -> T:
        if name not in self.kept:
            try:
                self.kept[name] = (make(self), None)
            except (Skip, TransportError) as error:
                self.kept[name] = (None, error)
        value, failure = self.kept[name]
        if failure is not None:
            raise failure
        return value

    return property(get)


class Context:
    """One run against one provider.

    :ivar scratch: path of the directory in which everything happens
    :ivar made: paths that may exist because of this run
    """

    def __init__(self, client: Client, options: Options, server: SourceServer | None) -> None:
        self.client, self.options, self.server = client, options, server
        self.scratch = f'{options.directory}fsp-check-{secrets.token_hex(4)}/'
        self.made: list[str] = []
        self.kept: dict[str, tuple[Any, Any]] = {}
        self.is_local = sources.is_loopback(options.base_url)

    # Requests

    def get(self, path: str, **more: Any) -> Reply:
        """Ask for a directory or a file."""
        return self.client.send('GET', path, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        """Delete a directory or a file."""
        return self.client.send('DELETE', path, **more)

    def create(self, path: str, **more: Any) -> Reply:
        """Create a directory."""
        self.made.append(path)
        return self.client.send('POST', path, **more)

    def upload(self, path: str, source: Source | None = None, strategy: str | None = None, **more: Any) -> Reply:
        """Upload *source*, or the picture."""
        self.made.append(path)
        body = {'source': (source or self.picture).url}
        body |= {} if strategy is None else {'conflict_strategy': strategy}
        return self._noted(self.client.send('POST', path, body, **more))

    def post(self, path: str, body: Any = None, raw: bytes | None = None) -> Reply:
        """Send a body to a file's path, whatever it is."""
        self.made.append(path)
        return self.client.send('POST', path, body, raw=raw)

    def move(self, path: str, directory: str, strategy: str | None = None) -> Reply:
        """Move a file into *directory*."""
        body = {'new_path': directory} | ({} if strategy is None else {'conflict_strategy': strategy})
        return self._noted(self.client.send('PATCH', path, body))

    def _noted(self, reply: Reply) -> Reply:
        """Note under which path a file was stored."""
        path = text_of(meta_of(reply), 'path')
        if path.startswith(self.scratch) and '/../' not in path:
            self.made.append(path)
        return reply

    def exists(self, path: str) -> bool:
        """Tell whether there is something at *path*."""
        return self.get(path).is_success

    def names(self, directory: str) -> list[str]:
        """Return the names in *directory*; Skip if it cannot be listed."""
        reply = self.get(directory)
        if not reply.is_success:
            raise Skip(f'the directory could not be listed: {reply.summary}')
        return names_of(reply)

    # Things that checks begin with

    def new_directory(self, name: str) -> str:
        """Create a directory and return its path; Skip if that fails."""
        reply = self.create(path := f'{self.scratch}{name}/')
        if not reply.is_success:
            raise Skip(f'a directory for this check could not be created: {reply.summary}')
        return path

    def new_file(self, path: str, source: Source | None = None) -> Meta:
        """Upload a file and return its metadata; Skip if that fails."""
        reply = self.upload(path, source)
        if not reply.is_success:
            raise Skip(f'a file for this check could not be uploaded: {reply.summary}')
        return meta_of(reply) or {}

    def served(self, path: str) -> Source:
        """Return a file that the suite serves; Skip if it serves none."""
        if self.server is None:
            raise Skip(
                'only with files that the suite serves itself: where base URL is on this machine, without --source'
            )
        return self.server.source(path)

    @shared
    def picture(self) -> Source:
        """Return a picture that the provider can fetch."""
        if self.options.source:
            return self._known(self.options.source)
        if self.server is not None:
            return self.server.source(sources.PICTURE)
        for meta in self.found:
            if text_of(meta, 'mime-type').startswith('image/') and text_of(meta, 'public-url'):
                return self._known(text_of(meta, 'public-url'))
        raise Skip('there is nothing to upload: name a picture with --source URL')

    def _known(self, url: str) -> Source:
        try:
            reply = self.client.fetch(url)
        except TransportError:
            return Source(url)
        return Source(url, reply.body, reply.content_type) if reply.status == 200 else Source(url)

    # Shared answers

    @shared
    def root(self) -> Reply:
        """Return the listing of the root."""
        return self.get('/')

    @shared
    def denied(self) -> Reply:
        """Answer to a wrong password."""
        return self.get('/', headers={'Authorization': basic(self.options.username, f'not-{self.options.password}')})

    @shared
    def missing(self) -> Reply:
        """Answer for a file that does not exist."""
        return self.get(f'/fsp-check-missing-{secrets.token_hex(4)}.png')

    @shared
    def found(self) -> list[Meta]:
        """Files that are there: of the root, and of the first directories in it."""
        metas = metas_of(self.root)
        files = [meta for meta in metas if not is_directory(meta)]
        for directory in [meta for meta in metas if is_directory(meta)][:_LOOKED_INTO]:
            if any(text_of(meta, 'mime-type').startswith('image/') for meta in files):
                break
            files += [meta for meta in metas_of(self.get(child('/', directory))) if not is_directory(meta)]
        return files

    def require_directory(self) -> None:
        """Look at the directory of the options. Raises Unusable if the run cannot make its own one there."""
        directory = self.options.directory
        reply = self.root if directory == '/' else self.get(directory)
        if not reply.is_success or items_of(reply) is None:
            raise Unusable(f'--directory {directory} cannot be listed: {reply.summary}')
        if (meta_of(reply) or {}).get('permissions') == 'ro':
            raise Unusable(f'{directory} is read-only: name a writable directory with --directory, or use --read-only')

    @shared
    def created(self) -> Reply:
        """Answer to the creation of the scratch directory."""
        return self.create(self.scratch)

    @shared
    def orphan(self) -> Reply:
        """Answer to the creation of a directory in one that does not exist."""
        return self.create(f'{self.scratch}missing/directory/')

    @shared
    def again(self) -> Reply:
        """Answer to the creation of a directory that exists."""
        return self.create(self.scratch)

    @shared
    def uploaded(self) -> Reply:
        """Answer to the upload of the picture."""
        return self.upload(self.file)

    @property
    def file(self) -> str:
        """Return the path of the picture that is uploaded first."""
        return f'{self.scratch}picture.png'

    @shared
    def stat(self) -> Reply:
        """Metadata of the picture."""
        return self.get(self.file)

    @shared
    def orphan_file(self) -> Reply:
        """Answer to an upload into a directory that does not exist."""
        return self.upload(f'{self.scratch}missing/file.png')

    @shared
    def broken(self) -> Reply:
        """Answer to an upload from a source that does not exist."""
        url = self.server.source('/missing.png').url if self.server else 'https://fsp-check.invalid/missing.png'
        return self.upload(f'{self.scratch}broken.png', Source(url))

    @shared
    def subdirectory(self) -> str:
        """Create a directory in the scratch directory, with a file in it."""
        path = self.new_directory('directory')
        self.new_file(f'{path}inner.png')
        return path

    @shared
    def asked(self) -> Reply:
        """Answer to an upload onto a name that is taken, with the strategy "ask"."""
        self.new_file(path := f'{self.scratch}ask.png')
        return self.upload(path, strategy='ask')

    @shared
    def moved(self) -> Reply:
        """Answer to a move into the subdirectory."""
        self.new_file(path := f'{self.scratch}move.png')
        return self.move(path, self.subdirectory)

    @shared
    def deleted(self) -> Reply:
        """Answer to the deletion of a file."""
        self.new_file(path := f'{self.scratch}delete.png')
        return self.delete(path)

    @shared
    def deleted_directory(self) -> Reply:
        """Answer to the deletion of an empty directory."""
        return self.delete(self.new_directory('delete'))

    @shared
    def put(self) -> Reply:
        """Answer to a method that is none of the protocol."""
        self.made.append(path := f'{self.scratch}put.txt')
        return self.client.send('PUT', path, raw=b'{}')

    @shared
    def contents(self) -> Reply:
        """Return the listing of the scratch directory with a file and a directory in it."""
        _ = self.stat, self.subdirectory
        return self.get(self.scratch)

    @shared
    def file_meta(self) -> Meta:
        """Metadata of the picture that was uploaded, or of a file that is there."""
        with suppress(Skip, TransportError):  # the checks of uploads report them
            if not self.options.read_only and self.created.is_success and self.uploaded.is_success:
                for reply in (self.stat, self.uploaded):
                    if (meta := meta_of(reply)) is not None:
                        return meta
        with suppress(TransportError):
            if self.found:
                return self.found[0]
        raise Skip('there is no file to look at')

    @shared
    def public(self) -> Reply:
        """Answer of the public URL of the picture."""
        url = text_of(self.file_meta, 'public-url')
        if not url:
            raise Skip('the file has no public URL')
        return self.client.fetch(url)

    @shared
    def thumbnail(self) -> Reply:
        """Answer of the thumbnail of the picture."""
        url = text_of(self.file_meta, 'thumbnail')
        if not url:
            raise Skip('the file has no thumbnail, which is optional')
        return self.client.fetch(url)
