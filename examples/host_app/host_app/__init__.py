"""A product that embeds Beefree's editor: a Pyramid application with its own configuration, and the provider in it."""

from datetime import datetime
from typing import Any

from pyramid.config import Configurator
from pyramid.renderers import JSON
from pyramid.session import SignedCookieSessionFactory

from .security import MEMBER, SessionPolicy


def main(_global_config: dict[str, str], **settings: Any) -> Any:
    """Return the WSGI application of host.ini."""
    json = JSON(indent=2)
    json.add_adapter(datetime, lambda value, _request: value.isoformat())
    with Configurator(settings=settings) as config:
        # The product's own configuration, which the provider does not change.
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
