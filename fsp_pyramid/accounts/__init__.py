"""Accounts at Egnyte that serve requests: that of the ini file, or those that users connected."""

import re
from typing import Any, NamedTuple, Self

from zope.interface import implementer

from ..errors import NotFound
from ..i18n import _
from ..interfaces import IAccounts
from ..model import Account, Identity

NO_ACCOUNT = _('no-account', 'There is no such account.')


class AccountKey(NamedTuple):
    """Key of an account in public links and caches: ``fsp``, ``fsp/acme``, ``fsp:12`` or ``fsp/acme:12``.

    Keys are stable as long as links live: mounts and clients must keep their names, and a number is never reused.

    :param client: '' for the client without a name
    :param number: number of an account that a user connected; 0 for that of the ini file
    """

    mount: str
    client: str
    number: int = 0

    def __str__(self) -> str:
        client = f'/{self.client}' if self.client else ''
        return f'{self.mount}{client}' + (f':{self.number}' if self.number else '')

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key in *text*. Raises NotFound if it is no key."""
        match = re.fullmatch(r'([A-Za-z0-9-]+)(?:/([a-z0-9_]+))?(?::(\d+))?', text)
        if not match:
            raise NotFound(NO_ACCOUNT)
        return cls(match[1], match[2] or '', int(match[3] or 0))


@implementer(IAccounts)
class TokenAccounts:
    """Single account of a client, with the token of the ini file."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def of(self, identity: Identity, request: Any) -> Account:
        del identity, request
        return self._account

    def numbered(self, number: int, request: Any) -> Account:
        del request
        if number:
            raise NotFound(NO_ACCOUNT)
        return self._account

    def refused(self, account: Account, request: Any) -> None:
        """Do nothing: only the operator can replace the token."""
