"""A local Egnyte: a WSGI application that keeps its state in one directory.

It answers Egnyte's public API closely enough that Egnyte's own clients work with it. See
``docs/sandbox.rst`` for what it offers, and for what it had to decide where the sources
contradict each other.
"""

from .app import make_app

__all__ = ['make_app']
