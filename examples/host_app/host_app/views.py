"""Pages and exception views of the product."""

import logging
from html import escape
from typing import Any

from pyramid.csrf import get_csrf_token
from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED, remember
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config, view_config
from sqlalchemy import select

from .models import Customer, Upload

log = logging.getLogger(__name__)


@view_config(name='', request_method='GET', permission=NO_PERMISSION_REQUIRED)
def home(request: Any) -> Response:
    """Show the login form. A real product asks for passwords and shows Beefree's editor."""
    return Response(
        '<form action="/login" method="post">'
        f'<input type="hidden" name="csrf_token" value="{get_csrf_token(request)}">'
        '<input name="uid" value="demo"><button>Log in</button></form>'
    )


@view_config(name='login', request_method='POST', permission=NO_PERMISSION_REQUIRED)
def login(request: Any) -> Response:
    """Log in a customer; show the form again for an unknown uid."""
    customer = request.dbsession.get(Customer, request.POST.get('uid'))
    if customer is None:
        return HTTPFound('/')
    return HTTPFound('/uploads', headers=remember(request, customer.uid))


@view_config(name='uploads', request_method='GET', renderer='json')
def uploads(request: Any) -> list[dict[str, Any]]:
    """List the customer's uploads; the default permission guards the view."""
    mine = select(Upload).where(Upload.uid == request.authenticated_userid).order_by(Upload.id)
    return [{'path': upload.path, 'size': upload.size, 'at': upload.at} for upload in request.dbsession.scalars(mine)]


@view_config(name='settings', request_method='GET')
def settings(request: Any) -> Response:
    """Link the page on which the customer connects an Egnyte account, in installations where customers have one."""
    if not request.fsp_connect_available:
        return Response('<h1>Settings</h1><p>Your files are kept by us.</p>')
    uid = request.authenticated_userid
    # A real product passes the customer's e-mail address as label.
    url = request.fsp_connect_url('shop', uid, user_label=uid, return_url=request.url)
    return Response(f'<h1>Settings</h1><p><a href="{escape(url)}">Connect Egnyte</a></p>')


@notfound_view_config()
def not_found(request: Any) -> Response:
    """Return the product's 404."""
    del request
    return Response('<h1>We have no such page</h1>', status=404)


@forbidden_view_config()
def forbidden(request: Any) -> Response:
    """Return the product's 403."""
    del request
    return Response('<h1>Please log in</h1>', status=403)


@exception_view_config(Exception)
def failed(exception: Exception, request: Any) -> Response:
    """Return the product's 500."""
    del request
    log.error('a page failed', exc_info=exception)
    return Response('<h1>We have a problem</h1>', status=500)
