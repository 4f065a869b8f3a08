"""Requests that another part of this application makes in place of Beefree, without credentials.

The mark is an attribute of the request object, so that no HTTP request can carry it.
"""

from typing import BinaryIO, NamedTuple

from pyramid.request import Request

_ATTRIBUTE = 'fsp_internal_call'


class InternalCall(NamedTuple):
    """Mark of a request whose caller was authorized elsewhere.

    :param via: name of that part, for the audit log
    :param client: name of the client whose credentials count as sent
    :param file: content of an upload, which is stored instead of that of the source; None to fetch the source
    """

    via: str
    client: str
    file: BinaryIO | None = None


def mark(request: Request, call: InternalCall) -> None:
    """Mark *request* before it is sent with ``invoke_subrequest``."""
    setattr(request, _ATTRIBUTE, call)


def internal_call(request: Request) -> InternalCall | None:
    """Return the mark of a request; None for requests from outside."""
    return getattr(request, _ATTRIBUTE, None)
