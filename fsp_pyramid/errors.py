"""Errors of the protocol: one class for each row of its table of statuses and codes.

All failures below the base URL become one of these, and the error view renders it in the one envelope that satisfies
both of Beefree's documented shapes. ``title`` becomes ``message``. ``details`` is text for a user of the File Manager:
it names the thing and what to do, and never holds messages of Egnyte or of a library, which go to the log. Both are
translation strings, except for details that only an integrator reads: of BadRequest, MethodNotAllowed.
"""

import math
from typing import Self

from .i18n import _, english

MAX_EXCERPT = 200


def excerpt(text: str) -> str:
    """Return *text*, or its beginning and end if it is longer than MAX_EXCERPT characters.

    Answers and logs repeat no more than this of any value of a request: names, methods, paths.
    """
    half = MAX_EXCERPT // 2 - 1
    return text if len(text) <= MAX_EXCERPT else f'{text[:half]}…{text[-half:]}'


class FSPError(Exception):
    """Error that the caller gets. Raise one of its subclasses, with the details as the only argument.

    ``str(error)`` are the details in English.

    :param details: problem and remedy, in a sentence or two, without the support id
    :param retry_after: seconds until a retry makes sense; becomes the ``Retry-After`` header
    """

    status: int
    code: int
    title: str
    details: str = ''
    retry_after: float | None = None

    def __init__(self, details: str = '', *, retry_after: float | None = None) -> None:
        self.details = details or self.details
        super().__init__(self.details)
        if retry_after is not None:
            self.retry_after = retry_after

    def __str__(self) -> str:
        return english(self.details)

    def saying(self, details: str) -> Self:
        """Return a copy with other details: this exception may be raised in other threads as well."""
        other = type(self).__new__(type(self), details)
        other.__dict__.update(self.__dict__, details=details)
        return other

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        # Rounded up: a retry at that second must not be early.
        return {} if self.retry_after is None else {'Retry-After': str(math.ceil(self.retry_after))}


class InternalError(FSPError):
    """Our own failure; also an Egnyte token that Egnyte refuses, because the caller cannot replace it."""

    status, code, title = 503, 3001, _('error-internal-title', 'Something went wrong')
    details = _(
        'error-internal',
        'The file service failed. Please try again; if it fails again, tell your administrator the support id.',
    )


class EgnyteUnavailable(FSPError):
    """Egnyte cannot be reached, or fails."""

    status, code, title = 503, 3100, _('error-egnyte-unavailable-title', 'Storage unavailable')
    details = _(
        'error-egnyte-unavailable',
        'Egnyte, where the files are kept, does not answer at the moment. Please try again in a minute.',
    )
    retry_after = 30


class NotFound(FSPError):
    """There is no such file or directory (also: a file requested as a directory)."""

    status, code, title = 404, 3200, _('error-not-found-title', 'Resource not found')
    details = _('error-not-found', 'There is no such file.')


class Forbidden(FSPError):
    """The caller may not do this here, or the containing directory does not exist."""

    status, code, title = 403, 3300, _('error-forbidden-title', 'Permission denied')


NAME_TAKEN = _('error-name-taken-title', 'Name already in use')


class NameTaken(FSPError):
    """The name is taken, and the site or the operation allows neither a question to the user nor a replacement."""

    status, code, title = 403, 3400, NAME_TAKEN


class Conflict(FSPError):
    """The name is taken; Beefree asks its user for a decision."""

    status, code, title = 409, 3400, NAME_TAKEN


class DirectoryInTheWay(FSPError):
    """A directory has the name of the file, which no dialog of Beefree's can resolve."""

    status, code, title = 409, 3401, _('error-directory-in-the-way-title', 'Name already in use by a folder')


class SourceFailed(FSPError):
    """The source of an upload could not be fetched, or its content could not be stored."""

    status, code, title = 422, 3450, _('error-source-failed-title', 'File could not be fetched')


class BadRequest(FSPError):
    """The request is invalid: its body, a header or the path."""

    status, code, title = 400, 3500, _('error-bad-request-title', 'Bad request')


class MethodNotAllowed(FSPError):
    """The resource has no such method."""

    status, code, title = 405, 3500, _('error-method-not-allowed-title', 'Method not allowed')

    def __init__(self, details: str, allowed: tuple[str, ...]) -> None:
        super().__init__(details)
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """``Allow``, which RFC 9110 requires."""
        return {'Allow': ', '.join(self.allowed)}


class Unauthorized(FSPError):
    """User name or password is wrong, or missing."""

    status, code, title = 401, 3650, _('error-unauthorized-title', 'Wrong user name or password')
    details = _(
        'error-unauthorized',
        'Check the user name and the password of the file system provider in the Beefree console.',
    )

    @property
    def headers(self) -> dict[str, str]:
        """Challenge, which RFC 9110 requires."""
        return {'WWW-Authenticate': 'Basic realm="fsp", charset="UTF-8"'}


class TokenRefused(InternalError):
    """Egnyte refuses the token; if a user connected the account, it becomes ConnectionExpired."""


class NotConnected(FSPError):
    """The user has no account at Egnyte yet."""

    status, code, title = 403, 3901, _('error-not-connected-title', 'Egnyte is not connected')
    details = _(
        'error-not-connected',
        'Your files are kept in Egnyte, and you have not connected your Egnyte account yet. '
        'Look for "Connect Egnyte" in the application that you opened this editor from, or ask its support.',
    )


class ConnectionExpired(FSPError):
    """Egnyte does not accept the tokens of the connected account any more."""

    status, code, title = 403, 3902, _('error-connection-expired-title', 'Connect Egnyte again')
    details = _(
        'error-connection-expired',
        'Your connection to Egnyte has expired or was taken back. '
        'Connect your Egnyte account again in the application that you opened this editor from; your files are safe.',
    )


class QuotaUsedUp(FSPError):
    """Egnyte's daily number of calls is used up."""

    status, code, title = 503, 3903, _('error-quota-title', 'Daily limit reached')


class Busy(FSPError):
    """Egnyte accepts no more calls at the moment."""

    status, code, title = 503, 3904, _('error-busy-title', 'Storage is busy')
    details = _('error-busy', 'Egnyte is busy at the moment. Please try again in a few seconds.')


class NoRoom(Busy):
    """A disk of ours is full, or cannot be written to for another reason."""

    details = _(
        'error-no-room',
        'The file service has no room for files at the moment. '
        'Please try again in a few minutes; if it fails again, tell your administrator the support id.',
    )
    retry_after = 60


class NameNotAllowed(FSPError):
    """Egnyte does not allow that name."""

    status, code, title = 400, 3905, _('error-name-not-allowed-title', 'Name not allowed')


class FileTooLarge(FSPError):
    """The file is larger than the site allows."""

    status, code, title = 422, 3906, _('error-file-too-large-title', 'File too large')


class TypeNotAllowed(FSPError):
    """The site does not accept this type of file."""

    status, code, title = 422, 3907, _('error-type-not-allowed-title', 'File type not allowed')


class NotEmpty(FSPError):
    """Only empty directories can be deleted."""

    status, code, title = 403, 3908, _('error-not-empty-title', 'Folder is not empty')


class Locked(FSPError):
    """The file is locked at Egnyte."""

    status, code, title = 403, 3909, _('error-locked-title', 'File is locked')
