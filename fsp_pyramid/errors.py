"""The table of errors: one class a row of the protocol's table of statuses and codes.

Whatever goes wrong below the base URL ends as one of these, and the error view writes it down in the one envelope that
satisfies both of Beefree's documented shapes. ``title`` becomes ``message`` and ``details`` is text that a person at
the File Manager can act on: it names the thing and what to do, and never holds what Egnyte or a library said to us
(that goes to the log).
"""

import math
from typing import Self

MAX_EXCERPT = 200


def excerpt(text: str) -> str:
    """Return *text*, or its beginning and end if it is longer than MAX_EXCERPT characters.

    Answers and logs repeat no more than this of anything in a request: names, methods, paths.
    """
    half = MAX_EXCERPT // 2 - 1
    return text if len(text) <= MAX_EXCERPT else f'{text[:half]}…{text[-half:]}'


class FSPError(Exception):
    """Something that the caller is told. Raise one of its subclasses, with the details as the only argument.

    :param details: what happened and what to do, in a sentence or two, without the support id
    :param retry_after: seconds after which another try makes sense; becomes the ``Retry-After`` header
    """

    status: int
    code: int
    title: str
    details: str = ''
    retry_after: float | None = None

    def __init__(self, details: str = '', *, retry_after: float | None = None) -> None:
        super().__init__(details or self.details)
        self.details = details or self.details
        if retry_after is not None:
            self.retry_after = retry_after

    def saying(self, details: str) -> Self:
        """The same in other words: another exception, because this one may be on its way to others as well."""
        other = type(self).__new__(type(self), details)
        other.__dict__.update(self.__dict__, details=details)
        return other

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to this answer."""
        # Rounded up: who comes back at that second must not be early.
        return {} if self.retry_after is None else {'Retry-After': str(math.ceil(self.retry_after))}


class InternalError(FSPError):
    """Our own failure; also an Egnyte token that Egnyte refuses, because the caller cannot mend it."""

    status, code, title = 503, 3001, 'Something went wrong'
    details = 'The file service failed. Please try again; if it fails again, tell your administrator the support id.'


class EgnyteUnavailable(FSPError):
    """Egnyte cannot be reached, or answers that it is in trouble."""

    status, code, title = 503, 3100, 'Storage unavailable'
    details = 'Egnyte, where the files are kept, does not answer at the moment. Please try again in a minute.'
    retry_after = 30


class NotFound(FSPError):
    """There is no such file, or no such directory (a file asked for as a directory included)."""

    status, code, title = 404, 3200, 'Resource not found'


class Forbidden(FSPError):
    """The caller may not do this here, or the containing directory does not exist."""

    status, code, title = 403, 3300, 'Permission denied'


class NameTaken(FSPError):
    """The name is taken, and the site or the kind of operation forbids to ask or to replace."""

    status, code, title = 403, 3400, 'Name already in use'


class Conflict(FSPError):
    """The name is taken; Beefree asks its user what to do."""

    status, code, title = 409, 3400, 'Name already in use'


class DirectoryInTheWay(FSPError):
    """A directory has the name of the file; no dialog can solve that."""

    status, code, title = 409, 3401, 'Name already in use by a folder'


class SourceFailed(FSPError):
    """The source of an upload could not be fetched, or what came could not be stored."""

    status, code, title = 422, 3450, 'File could not be fetched'


class BadRequest(FSPError):
    """The request itself is wrong: body, header or path."""

    status, code, title = 400, 3500, 'Bad request'


class MethodNotAllowed(FSPError):
    """The resource has no such method."""

    status, code, title = 405, 3500, 'Method not allowed'

    def __init__(self, details: str, allowed: tuple[str, ...]) -> None:
        super().__init__(details)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110 wants ``Allow``."""
        return {'Allow': ', '.join(self.allowed)}


class Unauthorized(FSPError):
    """User name or password is wrong, or missing."""

    status, code, title = 401, 3650, 'Wrong user name or password'
    details = 'Check the user name and the password of the file system provider in the Beefree console.'

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110 wants a challenge."""
        return {'WWW-Authenticate': 'Basic realm="fsp", charset="UTF-8"'}


class TokenRefused(InternalError):
    """Egnyte refuses the token; if a user connected the account, it becomes ConnectionExpired."""


class NotConnected(FSPError):
    """The user has no account at Egnyte yet."""

    status, code, title = 403, 3901, 'Egnyte is not connected'
    details = (
        'Your files are kept in Egnyte, and you have not connected your Egnyte account yet. '
        'Look for "Connect Egnyte" in the application that you opened this editor from, or ask its support.'
    )


class ConnectionExpired(FSPError):
    """The user had connected an account, and Egnyte does not accept that any more."""

    status, code, title = 403, 3902, 'Connect Egnyte again'
    details = (
        'Your connection to Egnyte has expired or was taken back. '
        'Connect your Egnyte account again in the application that you opened this editor from; your files are safe.'
    )


class QuotaUsedUp(FSPError):
    """Egnyte's daily number of calls is used up."""

    status, code, title = 503, 3903, 'Daily limit reached'


class Busy(FSPError):
    """Egnyte takes no more calls at the moment."""

    status, code, title = 503, 3904, 'Storage is busy'
    details = 'Egnyte is busy at the moment. Please try again in a few seconds.'


class NoRoom(Busy):
    """A disk of ours is full, or cannot be written to for another reason."""

    details = (
        'The file service has no room for files at the moment. '
        'Please try again in a few minutes; if it fails again, tell your administrator the support id.'
    )
    retry_after = 60


class NameNotAllowed(FSPError):
    """Egnyte keeps nothing of that name."""

    status, code, title = 400, 3905, 'Name not allowed'


class FileTooLarge(FSPError):
    """The file is larger than the site allows."""

    status, code, title = 422, 3906, 'File too large'


class TypeNotAllowed(FSPError):
    """The site does not take this type of file."""

    status, code, title = 422, 3907, 'File type not allowed'


class NotEmpty(FSPError):
    """Only empty directories can be deleted."""

    status, code, title = 403, 3908, 'Folder is not empty'


class Locked(FSPError):
    """Somebody locked the file at Egnyte."""

    status, code, title = 403, 3909, 'File is locked'
