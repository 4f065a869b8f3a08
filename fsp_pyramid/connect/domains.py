"""Egnyte domains: parse a user's input and check it against the settings."""

import re

from ..egnyte import EgnyteError, new_session
from ..egnyte.oauth import resolve_domain
from ..i18n import _, english
from ..routing import is_loopback
from ..settings import ClientSettings

EGNYTE = re.compile(r'[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.egnyte(?:gov)?\.com')
# The Enhanced Auth Service is below egnyte.com, but not a customer's domain.
SERVICE = re.compile(r'(?:[a-z0-9-]+-)?partner-integrations\.egnyte\.com')
EXAMPLE = 'acme.egnyte.com'
HOST = re.compile(r'[a-z0-9.-]+(?::[0-9]{1,5})?', re.ASCII)


class DomainRefused(ValueError):
    """The domain is not allowed.

    :param text: translation string that tells the user what to enter instead
    """

    def __init__(self, text: str) -> None:
        super().__init__(english(text))
        self.text = text


def egnyte_url(text: str, settings: ClientSettings) -> str:
    """Return the base URL of the Egnyte that a user named: ``acme``, ``acme.egnyte.com``, or a URL copied from there.

    Requests the Egnyte domain of a customer's own host that the ini file names. Raises DomainRefused.
    """
    host = re.sub(r'^https?://', '', text.strip().lower())
    host = re.split(r'[/?#\\]', host, maxsplit=1)[0]
    if not host:
        raise DomainRefused(
            _(
                'connect-domain-missing',
                'Enter the address of your Egnyte, for example ${example}.',
                example=EXAMPLE,
            )
        )
    if not HOST.fullmatch(host):
        raise DomainRefused(
            _(
                'connect-domain-malformed',
                'This is not an address. That of your Egnyte is like ${example}.',
                example=EXAMPLE,
            )
        )
    own = re.sub(r'^https?://', '', settings.egnyte.url.lower())
    if host == own:
        return settings.egnyte.url
    if host in settings.oauth.domains:
        return _allowed_url(host, settings.egnyte.timeout)
    if '.' not in host and ':' not in host:
        host = f'{host}.egnyte.com'
    if not EGNYTE.fullmatch(host) or SERVICE.fullmatch(host):
        raise DomainRefused(
            _(
                'connect-domain-refused',
                '${host} cannot be connected here. Enter the address that ends with .egnyte.com, for example '
                '${example}: your browser shows it when you use Egnyte, or ask the administrator of your Egnyte.',
                host=host,
                example=EXAMPLE,
            )
        )
    return f'https://{host}'


def _allowed_url(host: str, timeout: float) -> str:
    if is_loopback(host.partition(':')[0]):
        return f'http://{host}'
    if EGNYTE.fullmatch(host):
        return f'https://{host}'
    try:
        with new_session() as session:
            return f'https://{resolve_domain(session, f"https://{host}", timeout=timeout)}'
    except EgnyteError as error:
        raise DomainRefused(
            _(
                'connect-domain-unresolved',
                '${host} does not tell which Egnyte it is. Enter the address that ends with .egnyte.com.',
                host=host,
            )
        ) from error
