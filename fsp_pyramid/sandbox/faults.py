"""Faults to order: an error, a delay, an answer that is cut short, or the answer of something else on the way."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pyramid.response import Response

from .errors import ApiError
from .store import reading, writing


def _is_answer(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {'status', 'headers', 'body', 'carried_out'}:
        return False
    headers = value.get('headers', {})
    return (
        value.get('status') in range(200, 600)
        and isinstance(headers, dict)
        and all(isinstance(text, str) for text in headers.values())
        and isinstance(value.get('body', ''), str)
        and isinstance(value.get('carried_out', False), bool)
    )


CHECKS: dict[str, Callable[[Any], bool]] = {
    'status': lambda value: value in range(400, 600),
    'latency': lambda value: isinstance(value, int | float) and value >= 0,
    'drop': lambda value: value is True,
    'answer': _is_answer,
}


class Fault(NamedTuple):
    """Fault of the next *times* calls of *method* (None: any) whose path has the prefix.

    *value* is the status, the seconds of latency, or the JSON text of an answer; a drop has none.
    """

    method: str | None
    path_prefix: str
    times: int
    kind: str
    value: float | str | None

    @property
    def answer(self) -> dict[str, Any] | None:
        """Response in place of Egnyte's."""
        return json.loads(str(self.value)) if self.kind == 'answer' else None

    def to_json(self) -> dict[str, Any]:
        """As it was ordered, with the *times* that are left."""
        value: Any = self.answer or self.value
        if self.kind in {'drop', 'status'}:
            value = True if self.kind == 'drop' else int(value)
        common = {'method': self.method, 'path_prefix': self.path_prefix, 'times': self.times}
        return common | {self.kind: value}


def parse(body: Any) -> list[Fault]:
    """Return the faults in a JSON list. Raises ApiError 400."""
    if not isinstance(body, list):
        raise _bad('The body is not a list')
    return [_parse_one(item) for item in body]


def _parse_one(item: Any) -> Fault:
    kinds = [kind for kind in CHECKS if isinstance(item, dict) and kind in item]
    if len(kinds) != 1:
        raise _bad(f'A fault has exactly one of {", ".join(CHECKS)}')
    value = item[kinds[0]]
    times = item.get('times', 1)
    if not isinstance(times, int) or times < 1:
        raise _bad('times is a whole number, 1 or more')
    if not CHECKS[kinds[0]](value):
        raise _bad('status is 400 to 599, latency a number of seconds, drop is true, answer has status, headers, body')
    method = str(item['method']).upper() if item.get('method') else None
    stored = json.dumps(value) if kinds[0] == 'answer' else float(value)
    return Fault(method, str(item.get('path_prefix', '')), times, kinds[0], stored)


def _bad(text: str) -> ApiError:
    return ApiError(400, {'errorMessage': text})


def replace(db: sqlite3.Connection, faults: list[Fault]) -> None:
    """Order these faults, and no others."""
    with writing(db):
        db.execute('DELETE FROM faults')
        db.executemany(
            'INSERT INTO faults (method, path_prefix, times, kind, value) VALUES (?, ?, ?, ?, ?)',
            faults,
        )


def pending(db: sqlite3.Connection) -> list[Fault]:
    """Return the faults that are still to happen."""
    rows = db.execute('SELECT method, path_prefix, times, kind, value FROM faults ORDER BY id')
    return [Fault(*row) for row in rows]


def take(db: sqlite3.Connection, method: str, path: str) -> Fault | None:
    """Return the first fault that is meant for this call; it has one time less then."""
    with reading(db):
        if not db.execute('SELECT 1 FROM faults').fetchone():
            return None
    with writing(db):
        row = db.execute(
            'SELECT * FROM faults WHERE (method IS NULL OR method = ?)'
            ' AND substr(?, 1, length(path_prefix)) = path_prefix ORDER BY id',
            (method, path),
        ).fetchone()
        if row is None:
            return None
        db.execute('UPDATE faults SET times = times - 1 WHERE id = ?', (row['id'],))
        db.execute('DELETE FROM faults WHERE times < 1')
    return Fault(*tuple(row)[1:])


def refusal(fault: Fault) -> ApiError:
    """Return the answer that a fault gives instead of letting the call happen."""
    status = int(fault.value or 0)
    headers = {'Retry-After': '1'} if status == 429 else {}
    return ApiError(status, {'errorMessage': f'Injected fault {status}'}, headers)


def response_of(answer: dict[str, Any]) -> Response:
    """Return the answer of something between the client and Egnyte, which has none of Egnyte's headers."""
    response = Response(answer.get('body', '').encode(), status=answer['status'], content_type='text/html')
    response.headers.update(answer.get('headers', {}))
    return response


def cut(response: Response) -> None:
    """Let *response* announce more bytes than it sends, so that the server cuts the connection."""
    length = response.content_length or 0
    if response.status_code == 204:
        response.status_code = 200  # an answer that may have a body
    response.app_iter = _Short(response.app_iter, length // 2)
    response.content_length = max(length, 1)


class _Short:
    """The first *left* bytes of what an application returned."""

    def __init__(self, parts: Any, left: int) -> None:
        self._parts, self._left = parts, left

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if self._left <= 0:
                return
            yield part[: self._left]
            self._left -= len(part)

    def close(self) -> None:
        if hasattr(self._parts, 'close'):
            self._parts.close()
