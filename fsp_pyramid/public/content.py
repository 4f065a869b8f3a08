"""The content behind a link."""

from typing import Any

from ..accounts import AccountKey
from ..errors import NotFound, TokenRefused
from ..interfaces import IMount, IPublic
from ..model import Download
from .links import BadLink


def open_link(request: Any, place: IPublic, token: str) -> Download:
    """The current content of the file that *token* stands for. Raises NotFound; close what it returns."""
    try:
        link = place.signer.verify(token)
    except BadLink:
        raise NotFound('There is no such file.') from None
    key = AccountKey.parse(link.account)
    mount = request.registry.queryUtility(IMount, name=key.mount)
    bridge = mount and mount.bridges.get(key.client)
    if bridge is None:
        raise NotFound('There is no such file.')
    account = bridge.accounts.numbered(key.number, request)
    try:
        return bridge.storage(account).open_file(link.file_id)
    except TokenRefused:
        bridge.accounts.refused(account, request)
        raise
