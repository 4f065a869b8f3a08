"""Errors, in the several shapes of Egnyte."""

from typing import Any


class ApiError(Exception):
    """An answer other than success. *body* is JSON's, or a str for HTML."""

    def __init__(self, status: int, body: dict[str, Any] | str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


def refused(status: int, text: str) -> ApiError:
    """Return an error in the shape of the file system's actions."""
    return ApiError(status, {'errorMessage': text})


def missing() -> ApiError:
    """There is no such item, or the caller may not know of it. Egnyte's exact text is unknown."""
    return refused(404, 'Item not found')


def denied(text: str = 'You do not have permission to perform this action') -> ApiError:
    """Return the caller may see the item, but not do this with it."""
    return refused(403, text)


def upload_denied() -> ApiError:
    """Return the refusal of an upload, which has another key than other refusals."""
    return ApiError(403, {'message': 'You do not have permission to upload to this folder'})


def invalid(field: str, text: str) -> ApiError:
    """Return a parameter or a member of a JSON body is wrong."""
    return ApiError(400, {'inputErrors': {field: [{'code': 'INVALID', 'msg': text}]}})
