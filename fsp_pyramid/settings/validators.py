"""Types and validators of settings: parsed values, and complaints about invalid text."""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import colander

from ..i18n.catalogs import languages
from ..passwords import is_hash
from ..routing import origin_of
from ..sources import Allowances, TypePolicy

_UNITS = {'B': 1, 'KB': 1 << 10, 'MB': 1 << 20, 'GB': 1 << 30}
_QUOTES = {('"', '"'), ("'", "'"), ('“', '”'), ('‘', '’')}
_EMBEDDINGS = {'LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI'}
_BOOLEANS = dict.fromkeys(('true', 'yes', 'on', '1'), True) | dict.fromkeys(('false', 'no', 'off', '0'), False)


class ParsedText(colander.SchemaType):
    """Colander type that parses text by a function, whose ValueErrors are complaints."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def deserialize(self, node: colander.SchemaNode, cstruct: Any) -> Any:
        """Return the function's result; null stays null, as colander requires."""
        if cstruct is colander.null:
            return cstruct
        try:
            return self._parse(cstruct)
        except ValueError as error:
            raise colander.Invalid(node, str(error)) from None


def refuse_ini_habits(node: colander.SchemaNode, text: str) -> None:
    """Raise colander.Invalid for quotes around a value and comments behind it, which ini files do not support."""
    if len(text) > 1 and (text[0], text[-1]) in _QUOTES:
        raise colander.Invalid(node, 'write it without the quotes')
    # A password may hold " #1".
    comment = r'\s[#;](\s|$)' if node.name == 'fsp.password' else r'\s[#;]'
    if node.name != 'fsp.folders' and re.search(comment, text):
        raise colander.Invalid(node, 'a comment stands on a line of its own')


def size(text: str) -> int:
    """Return the bytes of ``20 MB``; the units are binary."""
    match = re.fullmatch(r'(\d+)\s*([KMG]?B)?', text.strip().upper())
    if not match or not int(match[1]):
        raise ValueError('write a number with B, KB, MB or GB, such as "20 MB"')
    return int(match[1]) * _UNITS[match[2] or 'B']


def boolean(text: str) -> bool:
    """Return the boolean of ``true`` or ``false`` and their usual synonyms."""
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError('write true or false') from None


def seconds(least: float, most: int, number: Callable[[str], float] = float) -> ParsedText:
    """Return the type of a number of seconds within bounds."""

    def parse(text: str) -> float:
        try:
            value = number(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:  # also true for NaN
            raise ValueError(f'write a {"whole " * (number is int)}number of seconds from {least} to {most}')
        return value

    return ParsedText(parse)


def percent(text: str) -> float:
    """Return a percentage as a fraction: ``10`` is 0.1."""
    try:
        value = float(text.removesuffix('%'))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 40:  # also true for NaN; background calls lose twice as much
        raise ValueError('write a percentage from 0 to 40')
    return value / 100


def events_interval(text: str) -> int:
    """Return 0 or an interval that Egnyte allows, in seconds."""
    seconds = int(text) if text.isdecimal() else -1
    if seconds and not 300 <= seconds <= 86400:
        raise ValueError('write 0 for never, or a whole number of seconds from 300 (Egnyte asks for that) to 86400')
    return seconds


def threads(text: str) -> int:
    """Return the number of threads of the server."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 1000:
        raise ValueError('write a whole number from 1 to 1000, the threads of the server')
    return number


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list, separated by white space or commas."""
    return tuple(text.replace(',', ' ').split())


def names(text: str) -> tuple[str, ...]:
    """Return names of clients, which become parts of keys and of environment variables."""
    found = words(text)
    for name in found:
        if not re.fullmatch('[a-z][a-z0-9_]{0,31}', name):
            raise ValueError(f'"{name}" must be a small letter and up to 31 small letters, digits and underscores')
    if len(set(found)) < len(found):
        raise ValueError('every client is named once')
    return found


def client_ids(text: str) -> frozenset[str]:
    """Return values of X-BEE-ClientId."""
    found = words(text)
    for name in found:
        if not re.fullmatch('[A-Za-z0-9_-]{1,200}', name):
            raise ValueError(f'"{name}" must be letters, digits, underscores and hyphens')
    return frozenset(found)


def hosts(text: str) -> tuple[str, ...]:
    """Return names of hosts, without a scheme."""
    found = words(text.lower())
    for host in found:
        if not re.fullmatch(r'[a-z0-9.-]+(:\d+)?', host):
            raise ValueError(f'"{host}" must be the name of a host: files.acme.com')
    return found


def origins(text: str) -> tuple[str, ...]:
    """Return origins of URLs, as browsers write them."""
    found = words(text)
    for origin in found:
        if not origin_of(origin) or re.search('[/?#]', origin.partition('://')[2]):
            raise ValueError(
                f'"{origin}" must be like https://app.example.com, without a path; http is for loopback hosts only'
            )
    return tuple(map(origin_of, found))


def fernet_keys(text: str) -> tuple[str, ...]:
    """Return Fernet keys, newest first."""
    found = words(text)
    if not all(re.fullmatch('[A-Za-z0-9_-]{43}=', key) for key in found):
        raise ValueError('every key is 44 characters; "fsp-accounts new-key" makes one')
    return found


def types(text: str) -> TypePolicy:
    """Return the policy for types of uploads."""
    return TypePolicy.parse(words(text))


def allowances(text: str) -> Allowances:
    """Return the allowances for sources of uploads."""
    return Allowances.parse(words(text))


def prefix(node: colander.SchemaNode, value: str) -> None:
    """Validate the path prefix of a surface."""
    if not re.fullmatch(r'(/[A-Za-z0-9._~-]+)+', value):
        raise colander.Invalid(
            node, 'write a path that begins with a slash, does not end with one and holds plain characters: "/fsp"'
        )


def egnyte_url(node: colander.SchemaNode, value: str) -> None:
    """Validate the URL of Egnyte."""
    loopback = r'(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?'
    if not re.fullmatch(rf'sandbox:.+|https://[^/?#@\s]+|http://{loopback}', value):
        raise colander.Invalid(
            node,
            'write "https://DOMAIN" without a path or a slash behind it, "sandbox:DIRECTORY", or "http://" with a '
            'loopback address',
        )


def base_url(node: colander.SchemaNode, value: str) -> None:
    """Validate the base URL of public files."""
    if value and not re.fullmatch(r'https?://[^/?#@\s]+(/[^?#\s]*)?(?<!/)', value):
        raise colander.Invalid(node, 'write "https://HOST" with or without a path, and no slash at its end')


def service_url(node: colander.SchemaNode, value: str) -> None:
    """Validate the URL of Egnyte's Enhanced Auth Service."""
    loopback = r'http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?'
    if value and not re.fullmatch(rf'(https://[^/?#@\s]+|{loopback})/[^?#\s]+', value):
        raise colander.Invalid(
            node, 'write "https://us-partner-integrations.egnyte.com/services/oauth/code" or the like'
        )


def title(node: colander.SchemaNode, value: str) -> None:
    """Validate the name of an application for people."""
    if len(value) > 100 or not is_plain(value):
        raise colander.Invalid(node, 'write at most 100 characters in one line')


def is_plain(text: str) -> bool:
    """Return whether a text has neither control characters, nor those that change the direction of other text."""
    return all(
        unicodedata.category(character) not in {'Cc', 'Cs', 'Zl', 'Zp'}
        and unicodedata.bidirectional(character) not in _EMBEDDINGS
        for character in text
    )


def support_url(node: colander.SchemaNode, value: str) -> None:
    """Validate the address of an application's support."""
    mail = re.fullmatch(r'mailto:[^\s@?]+@[A-Za-z0-9.-]+(\?[!-~]*)?', value)
    if value and not mail and not (value.startswith('https://') and origin_of(value)):
        raise colander.Invalid(node, 'write "https://HOST/PATH" or "mailto:NAME@HOST"')


def username(node: colander.SchemaNode, value: str) -> None:
    """Validate a user name for HTTP Basic."""
    if ':' in value:
        raise colander.Invalid(node, 'write it without a colon, which ends the user name in HTTP')


def password(node: colander.SchemaNode, value: str) -> None:
    """Validate a password: plain, or a hash of fsp-hash-password."""
    if value.startswith('$') and not is_hash(value):
        raise colander.Invalid(
            node, 'begins like a hash and is none of fsp-hash-password: write what that prints, or a plain one'
        )


def token(node: colander.SchemaNode, value: str) -> None:
    """Validate a token for an Authorization header."""
    if not re.fullmatch('[!-~]*', value):
        raise colander.Invalid(node, 'write it as Egnyte gave it: letters, digits and signs of ASCII')


def ops_token(node: colander.SchemaNode, value: str) -> None:
    """Validate the bearer token of operators."""
    if value and not re.fullmatch('[!-~]{16,}', value):
        raise colander.Invalid(
            node, 'write 16 or more letters, digits and signs of ASCII; "openssl rand -hex 32" makes a good one'
        )


def secrets(node: colander.SchemaNode, value: tuple[str, ...]) -> None:
    """Validate keys that sign links."""
    if any(len(secret) < 32 for secret in value):
        raise colander.Invalid(node, 'every key needs 32 characters or more; "openssl rand -hex 32" makes a good one')


def language(node: colander.SchemaNode, value: str) -> None:
    """Validate the language of the texts for users."""
    only(*languages())(node, value)


def header(node: colander.SchemaNode, value: str) -> None:
    """Validate the name of a header."""
    if not re.fullmatch('[A-Za-z0-9-]*', value):
        raise colander.Invalid(node, 'write the name of a header, such as X-BEE-Language')


def timezone(text: str) -> tzinfo:
    """Return the time zone of a name in the IANA database."""
    if text.upper() == 'UTC':  # works without a database
        return UTC
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('write a name of the IANA time zone database, such as Europe/Berlin') from None


def only(*supported: str) -> Any:
    """Return a validator that accepts *supported* values only."""

    def validate(node: colander.SchemaNode, value: str) -> None:
        if value not in supported:
            raise colander.Invalid(node, f'use {" or ".join(supported)}')

    return validate
