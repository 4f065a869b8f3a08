"""Provenance of an answer: Egnyte's own, or that of a proxy, a firewall or a gateway on the way.

A status alone does not tell. Egnyte's errors are JSON objects of a few known shapes; a page in HTML, plain text, an
empty body or the JSON of another product says nothing about files, permissions or tokens.
"""

import json
import re
from http import HTTPStatus
from typing import Any

import requests

# Exceptions of functions that read an answer of an unexpected shape.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
# Egnyte and Apigee, one of its gateways, name what is wrong with a token or a grant in one of these words.
OAUTH_ERROR = re.compile(r'[a-z]+(?:_[a-z]+)+')
OAUTH_STATUSES = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
# Subjects of Egnyte's refusals of a change.
REFUSAL = re.compile(r'(?<![/\w])(?:permissions?|locked|checksum|already exists)(?![/\w])', re.IGNORECASE)
# Lists of complaints, with the key of the text in each. Other products list theirs as {"errors": [{"message": ...}]}.
LISTS = {'Errors': 'description', 'formErrors': 'msg', 'errors': 'msg'}


def json_value(response: requests.Response) -> Any:
    """Return the JSON in the body. Raises ValueError if it is none."""
    try:
        # From bytes: neither a byte order mark nor a wrong charset in Content-Type does harm.
        return json.loads(response.content)
    except RecursionError as error:
        raise ValueError('JSON that is nested too deeply') from error


def json_object(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object in the body. Raises ValueError if there is none."""
    value = json_value(response)
    if not isinstance(value, dict):
        raise ValueError('no JSON object')  # noqa: TRY004 - the body is wrong, not an argument
    return value


def has_egnyte_headers(response: requests.Response) -> bool:
    """Return whether the answer carries a header that only Egnyte sends. Proxies may drop them."""
    return any(name.lower().startswith(('x-egnyte-', 'x-accesstoken-')) for name in response.headers)


def is_egnyte_error(response: requests.Response, method: str) -> bool:
    """Return whether the body of an answer to a *method* is an error in a shape that Egnyte is known to use.

    Known are ``errorMessage`` of the file system, the lists of complaints of links, notes and validation, and
    ``message`` of uploads. Those that other products use as well count only where Egnyte uses them.
    """
    try:
        body = json_object(response)
    except ValueError:
        return False
    return (
        isinstance(body.get('errorMessage'), str)
        or _has_complaints(body)
        or _is_message(body, response, method)
        or _is_oauth_error(body, response)
        # Apigee refuses tokens for Egnyte; its other refusals never reached Egnyte.
        or (response.status_code == HTTPStatus.UNAUTHORIZED and isinstance(body.get('fault'), dict))
    )


def is_common_error(response: requests.Response) -> bool:
    """Return whether the body is ``{"message": ...}`` without Egnyte's headers: others may have written it as well."""
    return not has_egnyte_headers(response) and 'message' in json_object(response)


def _has_complaints(body: dict[str, Any]) -> bool:
    nested = body.get('errors')
    if isinstance(body.get('inputErrors'), dict) or (isinstance(nested, dict) and 'inputErrors' in nested):
        return True
    return any(
        isinstance(items := body.get(key), list) and any(isinstance(item, dict) and text in item for item in items)
        for key, text in LISTS.items()
    )


def _is_message(body: dict[str, Any], response: requests.Response, method: str) -> bool:
    """Return whether it is ``{"message": ...}``, which many products use.

    Egnyte refuses uploads with it. Without Egnyte's headers it has to answer a change, to have no other keys than at
    Egnyte, and to name what Egnyte refuses changes for.
    """
    text = body.get('message')
    if not isinstance(text, str):
        return False
    if has_egnyte_headers(response):
        return True
    return method != 'GET' and body.keys() <= {'message', 'code'} and REFUSAL.search(text) is not None


def _is_oauth_error(body: dict[str, Any], response: requests.Response) -> bool:
    """Return whether it is ``{"error": ...}`` of OAuth (RFC 6749), or its form at Apigee.

    Other products use the shape for any refusal. OAuth uses it for tokens and grants, with 400 or 401.
    """
    if not has_egnyte_headers(response) and response.status_code not in OAUTH_STATUSES:
        return False
    error = body.get('error')
    if isinstance(error, str) and OAUTH_ERROR.fullmatch(error):
        return True
    return isinstance(body.get('ErrorCode'), str) and isinstance(body.get('Error'), str)
