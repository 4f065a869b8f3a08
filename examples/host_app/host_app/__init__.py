"""A product that embeds Beefree's editor: a Pyramid application with habits of its own, and the provider in it."""

from datetime import datetime
from typing import Any

from pyramid.config import Configurator
from pyramid.renderers import JSON
from pyramid.session import SignedCookieSessionFactory

from .security import MEMBER, SessionPolicy


def main(_global_config: dict[str, str], **settings: Any) -> Any:
    """The WSGI application of host.ini."""
    json = JSON(indent=2)
    json.add_adapter(datetime, lambda value, _request: value.isoformat())
    with Configurator(settings=settings) as config:
        # All of this is the product's own business, and stays so with the provider mounted.
        config.set_session_factory(SignedCookieSessionFactory(settings['host.secret']))
        config.set_security_policy(SessionPolicy())
        config.set_default_permission(MEMBER)
        config.set_default_csrf_options(require_csrf=True)
        config.add_renderer('json', json)
        config.add_tween('host_app.tweens.timing')
        config.include('.models')
        config.include('.files')
        config.scan('.views')
        return config.make_wsgi_app()
