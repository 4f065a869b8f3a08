"""Fixtures of the protocol's tests: public files are listed and uploaded there."""

from ..protocol.conftest import client, make_app, sandbox

__all__ = ['client', 'make_app', 'sandbox']
