"""What may go wrong in a call to Egnyte, told apart by what a caller would do about it."""

import re
from collections.abc import Mapping
from typing import Any

import requests

# A 429 does not say which limit it is about. Nobody waits this long for the per-second one.
LONGEST_QPS_WAIT = 60.0
DAY = 86400.0


class EgnyteError(Exception):
    """A call failed. The message is Egnyte's own: for logs, not for users.

    :param status: the HTTP status, 0 when there was no answer
    :param request_id: Egnyte's name for the call, which its support asks for
    """

    def __init__(self, message: str, *, status: int = 0, request_id: str = '') -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        request = f', request {self.request_id}' if self.request_id else ''
        return f'{self.args[0]} (status {self.status}{request})'


class Unauthorized(EgnyteError):
    """The token is wrong, expired or revoked."""


class Forbidden(EgnyteError):
    """The token's user may not do this."""


class Locked(Forbidden):
    """Somebody locked the file."""


class AlreadyExists(EgnyteError):
    """Something has that path."""


class NotFound(EgnyteError):
    """Nothing has that path or id, or the user may not see it."""


class GrantRefused(EgnyteError):
    """The code or the refresh token is wrong, used up, expired or revoked: the user has to connect again."""


class Rejected(EgnyteError):
    """Egnyte takes the call for wrong."""


class NameRejected(Rejected):
    """Creating, uploading or moving to that path is wrong: it keeps nothing of that name. Also an empty file."""


class ChecksumRefused(Rejected):
    """Other bytes came than were announced; nothing was stored."""


class RangeRefused(Rejected):
    """The file ends before the range begins."""


class Unavailable(EgnyteError):
    """Egnyte is in trouble (5xx)."""


class Unreachable(Unavailable):
    """No complete answer came. Whether the call took effect is unknown."""


class Corrupted(EgnyteError):
    """Egnyte stored other bytes than were sent, as version *version_id* of file *file_id*."""

    def __init__(self, file_id: str, version_id: str) -> None:
        super().__init__('the checksum of what was stored is not the checksum of what was sent')
        self.file_id = file_id
        self.version_id = version_id


class Throttled(EgnyteError):
    """Too many calls in a second; *wait* seconds from now there may be a place."""

    def __init__(self, message: str, wait: float, *, status: int = 0, request_id: str = '') -> None:
        super().__init__(message, status=status, request_id=request_id)
        self.wait = wait


class QuotaExceeded(Throttled):
    """Too many calls on this day; *wait* seconds from now another one begins."""


class QuotaReserved(QuotaExceeded):
    """The calls that are left on this day are for more urgent ones."""


def from_response(response: requests.Response, method: str, rejected: type[Rejected] = Rejected) -> EgnyteError:
    """The exception for an answer to a *method* that is no success.

    :param rejected: what it means that Egnyte takes the call for wrong, if it does not say it itself

    Both throttle styles are told from permission errors: 429, and Mashery's 403 with a header of its own.
    """
    message, status = _message(response), response.status_code
    about: dict[str, Any] = {'status': status, 'request_id': response.headers.get('X-Egnyte-Request-Id', '')}
    mashery = response.headers.get('X-Mashery-Error-Code', '')
    if status == 401 or 'DEVELOPER_INACTIVE' in mashery:
        return Unauthorized(message, **about)
    if status == 429 or 'DEVELOPER_OVER' in mashery:
        wait = retry_after(response.headers)
        daily = 'OVER_RATE' in mashery or 'over rate' in message.lower() or wait > LONGEST_QPS_WAIT
        return (QuotaExceeded if daily else Throttled)(message, wait, **about)
    return _class_of(status, message, method, rejected)(message, **about)


def _class_of(status: int, message: str, method: str, rejected: type[Rejected]) -> type[EgnyteError]:
    # 403 has three meanings that only the text tells apart.
    if status == 409 or (status == 403 and 'already exists' in message.lower()):
        return AlreadyExists
    if status == 423 or (status == 403 and _says('locked', message)):
        return Locked
    if status == 403:
        return Forbidden
    # 596: the legacy gateway could not route the path.
    if status in {404, 596}:
        return NotFound
    if status >= 500:
        # A gateway that lost the answer, or did not wait for it: the call itself may have succeeded.
        return Unreachable if status in {502, 504} and method != 'GET' else Unavailable
    return _class_of_rejection(status, message, rejected) if status >= 400 else EgnyteError


def _class_of_rejection(status: int, message: str, rejected: type[Rejected]) -> type[Rejected]:
    if status == 416:
        return RangeRefused
    # With which status is not documented.
    return ChecksumRefused if _says('checksum', message) else rejected


def _says(word: str, message: str) -> bool:
    """Whether the text has the word, and not only a path in it."""
    return re.search(rf'(?<![/\w]){word}(?![/\w])', message, re.IGNORECASE) is not None


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that a refused caller has to wait: from 1 (0 would be a storm of calls) to a day."""
    try:
        return min(max(1.0, float(headers.get('Retry-After', ''))), DAY)  # in this order "nan" is 1
    except ValueError:
        return 1.0


def _message(response: requests.Response) -> str:
    """The text in any of the shapes that Egnyte and its gateways wrap errors in, shortened."""
    try:
        found = next(_texts(response.json()), None)
    except ValueError:
        found = re.sub(r'<[^>]*>', ' ', response.text[:2000]).strip()
    return ' '.join((found or response.reason or 'no message').split())[:200]


def _texts(value: Any) -> Any:
    """Every message in an error body, whichever of the known keys it hides under."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        known = ('errorMessage', 'error_description', 'message', 'msg', 'description', 'faultstring', 'fault', 'error')
        keys = [key for key in known if key in value] or list(value)
        for key in keys:
            yield from _texts(value[key])
