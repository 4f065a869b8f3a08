"""The settings of the domain, of which nothing can be changed."""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from ..routing import add_resource

TOTAL = 1024**4  # bytes
LINKS = {'anyone': True, 'password': True, 'domain': True, 'recipients': True, 'default_type': 'anyone'}


def users(request: Request) -> dict[str, Any]:
    """Licences and rights."""
    kinds = dict(request.db.execute('SELECT user_type, count(*) FROM users GROUP BY user_type'))
    licenses = {kind: {'used': kinds.get(kind, 0), 'available': 100} for kind in ('power', 'standard')}
    return {'licenses': licenses, 'sso_enabled': False, 'power_user_rights': {'can_manage_trash': False}}


def links(_request: Request) -> dict[str, Any]:
    """Which links may be made."""
    expiration = {'default': None, 'max_allowed': None, 'upload_links': True}
    return {'expiration': expiration, 'file_links': LINKS, 'folder_links': LINKS}


def filesystem(request: Request) -> dict[str, Any]:
    """Answer with the size of all contents, in bytes."""
    used = request.db.execute('SELECT coalesce(sum(size), 0) FROM versions').fetchone()[0]
    return {'locale': 'en_US', 'total': TOTAL, 'used': used}


def audit(_request: Request) -> dict[str, Any]:
    """There are no reports to archive."""
    return {'archive_audit_reports': False}


def includeme(config: Configurator) -> None:
    """Register a page for each area."""
    for area, path, view in (
        ('users', '/pubapi/v2/users/settings', users),
        ('links', '/pubapi/v1/links/settings', links),
        ('fs', '/pubapi/v1/fs/settings', filesystem),
        ('audit', '/pubapi/v1/audit/settings', audit),
    ):
        add_resource(config, f'settings.{area}', path, GET=view)
