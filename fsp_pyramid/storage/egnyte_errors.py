"""Map errors of the Egnyte client to the errors of the protocol."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from .. import egnyte, errors
from ..paths import Path


@contextmanager
def as_fsp_errors(path: Path) -> Iterator[None]:
    """Raise errors of the Egnyte client as FSPErrors, with the client's error as cause, for the log.

    Messages contain only the last name of *path*: the caller may not be allowed to see the names above it.
    """
    try:
        yield
    except egnyte.EgnyteError as error:
        raise _to_fsp_error(error, errors.excerpt(path[-1]) if path else 'The root') from error


def is_doubtful(error: errors.FSPError) -> bool:
    """Return whether the refusal may come from a proxy or a gateway instead of Egnyte."""
    cause = error.__cause__
    return isinstance(cause, egnyte.EgnyteError) and not cause.authentic


def _to_fsp_error(error: egnyte.EgnyteError, name: str) -> errors.FSPError:
    """Return the FSPError; InternalError for a rejection that means that our call was wrong."""
    match error:
        case egnyte.NotFound():
            return errors.NotFound(f'"{name}" does not exist any more, or never did. Refresh the file manager.')
        case egnyte.Locked():
            return errors.Locked(
                f'"{name}" is locked by somebody at Egnyte. Ask them to unlock it, or try again later.'
            )
        case egnyte.Forbidden():
            return errors.Forbidden(f'Egnyte does not permit this for "{name}". Ask its owner for more permissions.')
        case egnyte.AlreadyExists():
            return errors.Conflict(f'There is something called "{name}" already. Choose another name.')
        case egnyte.Corrupted() | egnyte.ChecksumRefused():
            return errors.SourceFailed(f'"{name}" was damaged on its way to Egnyte. Please upload it again.')
        case egnyte.Rejected(status=413):
            return errors.FileTooLarge(f'"{name}" is larger than Egnyte accepts.')
        case egnyte.NameRejected():
            return errors.NameNotAllowed(f'Egnyte does not accept "{name}". Choose another name.')
        case egnyte.RangeRefused():
            return errors.BadRequest('The file ends before this range begins.')
        case egnyte.QuotaExceeded():
            gone = (
                'Of the calls to Egnyte that this account has for today, only those that are kept for changes are left.'
                if isinstance(error, egnyte.QuotaReserved)
                else 'All calls to Egnyte that this account has for today are used up.'
            )
            return errors.QuotaUsedUp(
                f'{gone} They are counted anew in {_duration(error.wait)}, at midnight UTC.', retry_after=error.wait
            )
        case egnyte.Throttled():
            return errors.Busy(retry_after=error.wait)
        case egnyte.Unavailable():
            return errors.EgnyteUnavailable()
        case egnyte.GrantRefused():
            return errors.ConnectionExpired()
        case egnyte.Unauthorized():
            return errors.TokenRefused()
    return errors.InternalError()


def _duration(seconds: float) -> str:
    hours, minutes = divmod(max(math.ceil(seconds / 60), 1), 60)
    counted = [(hours, 'hour'), (minutes, 'minute')]
    return ' and '.join(f'{number} {unit}{"s" * (number != 1)}' for number, unit in counted if number)
