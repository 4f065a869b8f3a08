"""Map errors of the Egnyte client to the errors of the protocol."""

from collections.abc import Iterator
from contextlib import contextmanager

from .. import egnyte, errors
from ..i18n import Duration, _
from ..paths import Path
from .refusals import locked


@contextmanager
def as_fsp_errors(path: Path) -> Iterator[None]:
    """Raise errors of the Egnyte client as FSPErrors, with the client's error as cause, for the log.

    Messages contain only the last name of *path*: the caller may not be allowed to see the names above it.
    """
    try:
        yield
    except egnyte.EgnyteError as error:
        raise _to_fsp_error(error, errors.excerpt(path[-1]) if path else '/') from error


def is_doubtful(error: errors.FSPError) -> bool:
    """Return whether the refusal may come from a proxy or a gateway instead of Egnyte."""
    cause = error.__cause__
    return isinstance(cause, egnyte.EgnyteError) and not cause.authentic


def is_unanswered(error: errors.FSPError) -> bool:
    """Return whether the call got no response: it may have taken effect, or do so later."""
    return isinstance(error.__cause__, egnyte.Unreachable)


def _to_fsp_error(error: egnyte.EgnyteError, name: str) -> errors.FSPError:
    """Return the FSPError; InternalError for a rejection that means that our call was wrong."""
    match error:
        case egnyte.NotFound():
            return errors.NotFound(
                _(
                    'egnyte-not-found',
                    '"${name}" does not exist any more, or never did. Refresh the file manager.',
                    name=name,
                )
            )
        case egnyte.Locked():
            return locked(name)
        case egnyte.Forbidden():
            return errors.Forbidden(
                _(
                    'egnyte-forbidden',
                    'Egnyte does not permit this for "${name}". Ask its owner for more permissions.',
                    name=name,
                )
            )
        case egnyte.AlreadyExists():
            return errors.Conflict(
                _('egnyte-exists', 'There is something called "${name}" already. Choose another name.', name=name)
            )
        case egnyte.Corrupted() | egnyte.ChecksumRefused():
            return errors.SourceFailed(
                _('egnyte-damaged', '"${name}" was damaged on its way to Egnyte. Please upload it again.', name=name)
            )
        case egnyte.Rejected(status=413):
            return errors.FileTooLarge(_('egnyte-too-large', '"${name}" is larger than Egnyte accepts.', name=name))
        case egnyte.NameRejected():
            return errors.NameNotAllowed(
                _('egnyte-name-rejected', 'Egnyte does not accept "${name}". Choose another name.', name=name)
            )
        case egnyte.RangeRefused():
            return errors.BadRequest('The file ends before this range begins.')
        case egnyte.QuotaExceeded():
            return errors.QuotaUsedUp(_quota(error), retry_after=error.wait)
        case egnyte.Throttled():
            return errors.Busy(retry_after=error.wait)
        case egnyte.Unavailable():
            return errors.EgnyteUnavailable()
        case egnyte.GrantRefused():
            return errors.ConnectionExpired()
        case egnyte.Unauthorized():
            return errors.TokenRefused()
    return errors.InternalError()


def _quota(error: egnyte.QuotaExceeded) -> str:
    wait = Duration(error.wait)
    if isinstance(error, egnyte.QuotaReserved):
        return _(
            'egnyte-quota-reserved',
            'Of the calls to Egnyte that this account has for today, only those that are kept for changes are left. '
            'They are counted anew in ${wait}, at midnight UTC.',
            wait=wait,
        )
    return _(
        'egnyte-quota',
        'All calls to Egnyte that this account has for today are used up. They are counted anew in ${wait}, at '
        'midnight UTC.',
        wait=wait,
    )
