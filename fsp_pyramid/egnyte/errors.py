"""Exceptions of calls to Egnyte, by the reaction that they allow to a caller."""

import re
import time
from collections.abc import Mapping
from html import unescape
from typing import Any

import requests

from .provenance import is_common_error, is_egnyte_error, json_value
from .times import http_date

# Seconds. A 429 does not name its limit; the one per second never needs a longer wait.
LONGEST_QPS_WAIT = 60.0
DAY = 86400.0
# The words of Egnyte's gateways for too many calls; proxies may drop the header that says the same.
OVER = re.compile(
    r'(?<![/\w])(?:developer|account|service|application|method|package|plan|key)'
    r' over (?:qps|rate|quer|quota|daily|limit|capacity)',
    re.IGNORECASE,
)
# A heading that is any code of Mashery's of that kind, in words: "403 Developer Over Qps".
OVER_CODE = re.compile(r'(?:(?:403|429|error|forbidden)\W+)*[a-z]+ over [a-z ]+\W*', re.IGNORECASE)
OVER_DAY = re.compile(r'(?<![/\w])over[ _](?:rate|quota|daily)|_OVER_(?:RATE|QUOTA|DAILY)', re.IGNORECASE)
# Headings and markup of a page. Each matches up to the end if it is not closed, for linear time.
HEADING = re.compile(r'<(h1|title)\b[^<>]*>(.*?)(?:</\1\b|\Z)', re.IGNORECASE | re.DOTALL)
MARKUP = re.compile(r'<!--.*?(?:-->|\Z)|<(style|script)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>', re.IGNORECASE | re.DOTALL)
LONGEST_PAGE = 100_000  # characters that are searched
LONGEST_MESSAGE = 200
INACTIVE = re.compile(r'developer[ _]inactive', re.IGNORECASE)
# Statuses of Egnyte's that are trusted with an empty body. 403 needs a text, because it has three meanings.
KNOWN = {400, 401, 409, 423}
# Statuses of gateways without an answer from the server behind them: the call may have taken effect.
LOST = {502, 504, 520, 524, 598, 599}


class EgnyteError(Exception):
    """Failed call. The message is Egnyte's own: for logs, not for users.

    :param status: HTTP status, 0 without an answer
    :param request_id: Egnyte's id of the call, which its support asks for
    :param authentic: False if the answer may come from a proxy or a gateway: trust it for minutes at most
    """

    def __init__(self, message: str, *, status: int = 0, request_id: str = '', authentic: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id
        self.authentic = authentic

    def __str__(self) -> str:
        request = f', request {self.request_id}' if self.request_id else ''
        return f'{self.args[0]} (status {self.status}{request})'


class Unauthorized(EgnyteError):
    """The token is wrong, expired or revoked."""


class Forbidden(EgnyteError):
    """The token's user may not do this."""


class Locked(Forbidden):
    """Another user has locked the file."""


class AlreadyExists(EgnyteError):
    """The path is taken."""


class NotFound(EgnyteError):
    """No file or folder has that path or id, or the user may not see it."""


class GrantRefused(EgnyteError):
    """The code or the refresh token is wrong, used up, expired or revoked: the user has to connect again."""


class Rejected(EgnyteError):
    """Egnyte rejects the call as invalid."""


class NameRejected(Rejected):
    """Egnyte rejects the path of a creation, an upload or a move because of the name; or the file is empty."""


class ChecksumRefused(Rejected):
    """Egnyte received other bytes than announced and stored nothing."""


class RangeRefused(Rejected):
    """The file ends before the range begins."""


class Unavailable(EgnyteError):
    """Egnyte fails (5xx), or a proxy, a firewall or a gateway answered in its place."""


class Unreachable(Unavailable):
    """No complete answer of Egnyte came, so the outcome of the call is unknown."""


class TimedOut(Unreachable):
    """Egnyte was silent for too long, or sent its answer too slowly."""


class Corrupted(EgnyteError):
    """Egnyte stored other bytes than were sent, as version *version_id* of file *file_id*."""

    def __init__(self, file_id: str, version_id: str) -> None:
        super().__init__('the checksum of what was stored is not the checksum of what was sent')
        self.file_id = file_id
        self.version_id = version_id


class Throttled(EgnyteError):
    """Too many calls in a second; the next one may be made in *wait* seconds."""

    def __init__(
        self, message: str, wait: float, *, status: int = 0, request_id: str = '', authentic: bool = True
    ) -> None:
        super().__init__(message, status=status, request_id=request_id, authentic=authentic)
        self.wait = wait


class QuotaExceeded(Throttled):
    """Too many calls on this day; the next day begins in *wait* seconds."""


class QuotaReserved(QuotaExceeded):
    """The rest of the day's calls is reserved for a higher priority."""


def from_response(
    response: requests.Response, method: str, rejected: type[Rejected] = Rejected, now: float | None = None
) -> EgnyteError:
    """Return the exception for an unsuccessful answer to a *method*.

    :param rejected: exception for a rejection whose text names no reason
    :param now: UNIX seconds, by default those of the machine's clock

    It depends on the author of the answer, not on the status alone: see :mod:`.provenance`.
    """
    text, status = _text_of(response), response.status_code
    message = text[:LONGEST_MESSAGE]
    now = time.time() if now is None else now
    plausible = is_egnyte_error(response, method)
    about: dict[str, Any] = {
        'status': status,
        'request_id': response.headers.get('X-Egnyte-Request-Id', ''),
        'authentic': plausible and not is_common_error(response),
    }
    mashery = response.headers.get('X-Mashery-Error-Code', '').upper()
    over = _words_of_throttling(response, text)
    if status == 429 or 'OVER_' in mashery or (status == 403 and over):
        wait = retry_after(response.headers, now)
        if OVER_DAY.search(f'{mashery} {over} {message}') or (wait or 0) > LONGEST_QPS_WAIT:
            return QuotaExceeded(message, wait or max(DAY - now % DAY, 1.0), **about)
        return Throttled(message, wait or 1.0, **about)
    if status == 403 and INACTIVE.search(f'{mashery} {text}'):
        return Unauthorized(message, **about)
    return _class_of(response, message, method, rejected, plausible)(message, **about)


def _class_of(
    response: requests.Response, message: str, method: str, rejected: type[Rejected], plausible: bool
) -> type[EgnyteError]:
    status = response.status_code
    if status in LOST and method != 'GET':
        return Unreachable
    # Egnyte's own 404s are not always JSON, so none counts as an outage: "authentic" tells them apart.
    if status == 404:
        return NotFound
    # These hold for any author: too large is too large, and ranges are a matter of HTTP.
    if status in {413, 416}:
        return _class_of_rejection(status, message, rejected) if _is_about_the_request(response) else Unavailable
    if status in {407, 408} or not 400 <= status < 500 or not (plausible or _is_terse(response)):
        return Unavailable
    if status == 401:
        return Unauthorized
    # Only the text tells the three meanings of 403 apart.
    if status == 409 or (status == 403 and 'already exists' in message.lower()):
        return AlreadyExists
    if status == 423 or (status == 403 and _says('locked', message)):
        return Locked
    return Forbidden if status == 403 else _class_of_rejection(status, message, rejected)


def _words_of_throttling(response: requests.Response, text: str) -> str:
    """Return the words of a gateway for too many calls, in the text or a heading of the page; '' without any."""
    if found := OVER.search(text):
        return found[0]
    headings = (_plain(found[2]) for found in HEADING.finditer(response.text[:LONGEST_PAGE]))
    return next((words for words in headings if OVER_CODE.fullmatch(words)), '')


def _is_about_the_request(response: requests.Response) -> bool:
    """Return whether the request had a range for a 416, or a file in its body for a 413."""
    request = response.request
    if response.status_code == 416:
        return 'Range' in request.headers
    return request.body is not None and not isinstance(request.body, str | bytes)  # only files are streamed


def _is_terse(response: requests.Response) -> bool:
    """Return whether the answer has a status of Egnyte's and no body."""
    challenge = response.headers.get('WWW-Authenticate', '')
    return response.status_code in KNOWN and not response.content.strip() and challenge.lower()[:6] in {'', 'bearer'}


def _class_of_rejection(status: int, message: str, rejected: type[Rejected]) -> type[Rejected]:
    if status == 416:
        return RangeRefused
    # The status of a wrong checksum is not documented.
    return ChecksumRefused if _says('checksum', message) else rejected


def _says(word: str, message: str) -> bool:
    """Return whether the text has the word, outside of paths."""
    return re.search(rf'(?<![/\w]){word}(?![/\w])', message, re.IGNORECASE) is not None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds of ``Retry-After``, from 1 (0 would cause a storm of calls) to a day.

    None if the header is missing, invalid, or a time in the past.
    """
    text = headers.get('Retry-After', '')
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, headers.get('Date', ''), now)
    return min(max(1.0, seconds), DAY) if seconds > 0 else None  # NaN is not greater than 0


def _seconds_until(date: str, sent: str, now: float) -> float:
    """Return the seconds to *date* from *sent*, the answer's own date by the same clock; without it, from *now*."""
    try:
        until = http_date(date)
    except ValueError:
        return 0.0
    try:
        return until - http_date(sent)
    except ValueError:
        return until - now


def message_of(response: requests.Response) -> str:
    """Return the text of an error in any shape of Egnyte and its gateways, shortened."""
    return _text_of(response)[:LONGEST_MESSAGE]


def _text_of(response: requests.Response) -> str:
    try:
        found = ' '.join(next(_texts(json_value(response)), '').split())
    except (ValueError, RecursionError):
        found = _plain(response.text[:LONGEST_PAGE])
    return found or response.reason or 'no message'


def _plain(page: str) -> str:
    """Return the text of a page without its markup."""
    return ' '.join(unescape(MARKUP.sub(' ', page)).split())


def _texts(value: Any) -> Any:
    """Yield the messages in an error body under all known keys."""
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
