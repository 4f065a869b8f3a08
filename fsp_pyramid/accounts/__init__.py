"""Which account at Egnyte serves a request."""

from zope.interface import implementer

from ..errors import NotFound
from ..interfaces import IAccounts
from ..model import Account, Identity


@implementer(IAccounts)
class TokenAccounts:
    """One account for everybody: that of the token in the ini file.

    :param key: names the account in public links; a link lives as long as the key means the same account
    """

    def __init__(self, key: str, token: str) -> None:
        self._account = Account(key, token)

    def of(self, identity: Identity) -> Account:
        """See IAccounts."""
        del identity
        return self._account

    def by_key(self, key: str) -> Account:
        """See IAccounts."""
        if key != self._account.key:
            raise NotFound('There is no such account.')
        return self._account
