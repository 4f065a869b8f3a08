"""File system provider in the product: two mounts, and a row for each upload."""

from typing import cast

from pyramid.config import Configurator
from sqlalchemy import func, select

from fsp_pyramid import paths
from fsp_pyramid.errors import Forbidden
from fsp_pyramid.events import FileStored
from fsp_pyramid.interfaces import FSPContext

from .models import Customer, Upload

TEAM = 'team'


def record_upload(event: FileStored) -> None:
    """Store a row for each upload of a customer. Row and file share the transaction of ``request.tm``."""
    fsp, session = cast(FSPContext, event.request.fsp), event.request.dbsession
    if fsp.mount.name == TEAM or fsp.identity is None:
        return
    uid, size = fsp.identity.uid, event.entry.size
    customer = session.get(Customer, uid)
    used = session.scalar(select(func.sum(Upload.size)).where(Upload.uid == uid)) or 0
    # The database refuses the row of an unknown customer at commit, which rolls the file back as well.
    if customer and used + size > customer.quota:
        # The File Manager shows this text.
        raise Forbidden(f'Your {customer.quota / 1e6:g} MB are used up.')
    session.add(Upload(uid=uid, path=paths.text(event.entry.path), size=size))


def includeme(config: Configurator) -> None:
    """Mount customers at /files/fsp and the design team at /team-files; public content is at /files/fsp-public."""
    settings = config.registry.settings
    config.include('fsp_pyramid', route_prefix='/files')
    config.add_fsp(
        TEAM,
        '/team-files',
        username=settings['host.team_username'],
        password=settings['host.team_password'],
        folders='/ /Shared/Brand',
    )
    config.add_subscriber(record_upload, FileStored)
