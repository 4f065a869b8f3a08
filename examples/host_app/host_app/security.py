"""Security policy of the product. The provider neither uses nor changes it."""

from typing import Any

from pyramid.authentication import SessionAuthenticationHelper
from pyramid.interfaces import ISecurityPolicy
from pyramid.security import Allowed, Denied
from zope.interface import implementer

MEMBER = 'member'


@implementer(ISecurityPolicy)
class SessionPolicy:
    """Authenticate customers by the uid in their session; they have the one permission, of members."""

    def __init__(self) -> None:
        self._helper = SessionAuthenticationHelper()

    def identity(self, request: Any) -> str | None:
        """Return the uid; None without a login."""
        return self._helper.authenticated_userid(request)

    authenticated_userid = identity

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        """Allow everything to members."""
        del context
        return Allowed('a member') if permission == MEMBER and self.identity(request) else Denied('not a member')

    def remember(self, request: Any, userid: str, **kwargs: Any) -> list[tuple[str, str]]:
        """Log in."""
        return self._helper.remember(request, userid, **kwargs)

    def forget(self, request: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Log out."""
        return self._helper.forget(request, **kwargs)
