"""Settings of the example: the ini file, and three variables of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

AUTH_URL = 'https://auth.getbee.io/loginV2'
TEMPLATE_URL = 'https://rsrc.getbee.io/api/templates/m-bee'


@dataclass(frozen=True)
class EditorSettings:
    """Values of the page and of its token.

    :param plugin_url: of Beefree's script; '' for the SDK's own
    """

    client_id: str
    client_secret: str = field(repr=False)
    uid: str
    auth_url: str
    template_url: str
    plugin_url: str

    @classmethod
    def read(cls, ini: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings; credentials and user come from the environment."""
        return cls(
            client_id=environ.get('BEEFREE_CLIENT_ID', ''),
            client_secret=environ.get('BEEFREE_CLIENT_SECRET', ''),
            uid=environ.get('BEEFREE_UID', 'demo'),
            auth_url=ini.get('editor.auth_url', AUTH_URL),
            template_url=ini.get('editor.template_url', TEMPLATE_URL),
            plugin_url=ini.get('editor.plugin_url', ''),
        )
