"""The content behind a link."""

from typing import Any

from ..accounts import AccountKey
from ..errors import NotFound
from ..interfaces import IMount, IPublic
from ..model import Download
from .links import BadLink


def open_link(registry: Any, place: IPublic, token: str) -> Download:
    """The current content of the file that *token* stands for. Raises NotFound; close what it returns."""
    try:
        link = place.signer.verify(token)
    except BadLink:
        raise NotFound('There is no such file.') from None
    key = AccountKey.parse(link.account)
    mount = registry.queryUtility(IMount, name=key.mount)
    bridge = mount and mount.bridges.get(key.client)
    if bridge is None:
        raise NotFound('There is no such file.')
    return bridge.storage(bridge.accounts.numbered(key.number)).open_file(link.file_id)
