"""Destination of an import: files of one user of a client, stored at the lowest priority, with their public URLs."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from pyramid.registry import Registry

from .. import paths
from ..clients import find_client
from ..egnyte import CallInfo, Priority
from ..errors import FSPError, NotFound, TokenRefused, excerpt
from ..importing import Rules
from ..interfaces import IPublic
from ..logs import Event, timestamp
from ..model import Account, Content, Entry, Identity, Listing, Strategy
from ..paths import Path, quoted
from ..storage.factory import CallListener
from ..storage.operations import Operations
from ..storage.undo import UndoLog
from .origin import background_request
from .urls import PublicURLs

# That of requests below a mount: see protocol.audit.
audit_log = logging.getLogger('fsp_pyramid.audit')


class AssetStore:
    """Files of a user as the destination of an import: see importing.Destination. Making one does no I/O.

    :param mount: the name of the mount
    :param base_url: URL of the application for browsers; '' for ``fsp.public.base_url``

    Raises LookupError for a mount or a client that does not exist, ValueError if there is no base URL.
    """

    def __init__(self, registry: Registry, mount: str, identity: Identity, base_url: str = '') -> None:
        self._registry, self._mount, self._identity = registry, mount, identity
        self._backend = find_client(registry, mount, identity.client)
        self._public = registry.getUtility(IPublic)
        self.calls = 0
        self.base_url = public_base(self._public, base_url)
        self._urls = PublicURLs(self.base_url, self._public.signer)
        self._account_key = ''

    @property
    def rules(self) -> Rules:
        """The rules of the client's uploads."""
        settings = self._backend.settings
        upload, sources = settings.upload, settings.sources
        return Rules(upload.max_size, upload.types, sources.allow, sources.timeout)

    def open_directory(self, path: Path) -> Listing:
        """Return a directory as Egnyte has it now. It is created with those above where it is missing."""
        with self._operations() as (operations, _):
            return _open(operations, path)

    def store(self, path: Path, content: Content) -> Entry:
        """Store a file, and prepare its thumbnail. Raises NameTaken."""
        began, calls, error = time.perf_counter(), self.calls, None
        try:
            with self._operations() as (operations, account):
                entry = operations.upload(path, Strategy.REFUSE, lambda: nullcontext(content))
                self._public.content_service.prepare_thumbnail(account.key, entry)
        except FSPError as raised:
            error = raised
            raise
        finally:
            self._audit(path, content.size, error, self.calls - calls, time.perf_counter() - began)
        return entry

    def url(self, file: Entry) -> str:
        """Return the public URL of a file. No call is made."""
        if not self._account_key:
            with background_request(self._registry) as request:
                self._account_key = self._backend.accounts.of(self._identity, request).key
        return self._urls.file(self._account_key, file)

    @contextmanager
    def _operations(self) -> Iterator[tuple[Operations, Account]]:
        """Give the user's operations. What they changed is rolled back if the block fails."""
        undo_log = UndoLog()
        with background_request(self._registry) as request:
            account = self._backend.accounts.of(self._identity, request)
            listener = CallListener(self._count)
            try:
                yield (
                    self._backend.operations(self._identity, account, undo_log, listener, Priority.BACKGROUND),
                    account,
                )
            except TokenRefused:
                self._backend.accounts.refused(account, request)
                raise
            except BaseException:
                undo_log.roll_back()
                raise

    def _count(self, _call: CallInfo) -> None:
        self.calls += 1

    def _audit(self, path: Path, size: int, error: FSPError | None, calls: int, seconds: float) -> None:
        audit_log.info(
            Event(
                time=timestamp(time.time()),
                mount=self._mount,
                client=self._identity.client,
                client_id=self._identity.client_id,
                uid=self._identity.uid,
                operation='upload',
                path=excerpt(paths.text(path)),
                via='import',
                status=error.status if error else 201,
                code=error.code if error else None,
                bytes=0 if error else size,
                calls=calls,
                seconds=round(seconds, 3),
            )
        )


def public_base(public: IPublic, base_url: str = '') -> str:
    """Return what public URLs begin with. Raises ValueError if neither the settings nor *base_url* say it."""
    if base_url:
        return base_url.rstrip('/') + quoted(public.path)
    if not public.base_url:
        raise ValueError(
            'What do the new URLs begin with? Set fsp.public.base_url, or name the URL of the application for browsers '
            'with --public-url https://files.example.com'
        )
    return public.base_url


def _open(operations: Operations, path: Path) -> Listing:
    try:
        return operations.list_directory(path, fresh=True)
    except NotFound:
        if not path:
            raise
    _open(operations, path[:-1])
    operations.create_directory(path)
    return operations.list_directory(path)
