"""The file system provider in the product: two mounts, and an account of what is stored."""

from typing import Any

from sqlalchemy import func, select

from fsp_pyramid import paths
from fsp_pyramid.errors import Forbidden
from fsp_pyramid.events import FileStored

from .models import Customer, Upload

TEAM = 'team'


def keep_account(event: FileStored) -> None:
    """A row for each upload of a customer's. It lives and dies with the file: they share ``request.tm``."""
    fsp, session = event.request.fsp, event.request.dbsession
    if fsp.mount.name == TEAM:
        return
    uid, size = fsp.identity.uid, event.entry.size
    customer = session.get(Customer, uid)
    used = session.scalar(select(func.sum(Upload.size)).where(Upload.uid == uid)) or 0
    # Who is no customer is left to the database, which refuses the row at commit: then the file goes as well.
    if customer and used + size > customer.quota:
        # The File Manager shows this text.
        raise Forbidden(f'Your {customer.quota / 1e6:g} MB are used up.')
    session.add(Upload(uid=uid, path=paths.text(event.entry.path), size=size))


def includeme(config: Any) -> None:
    """Customers at /files/fsp, the design team at /team-files, content for everybody at /files/fsp-public."""
    settings = config.registry.settings
    config.include('fsp_pyramid', route_prefix='/files')
    config.add_fsp(
        TEAM,
        '/team-files',
        username=settings['host.team_username'],
        password=settings['host.team_password'],
        folders='/ /Shared/Brand',
    )
    config.add_subscriber(keep_account, FileStored)
