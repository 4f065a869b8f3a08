"""Public files when Egnyte, the disk or the clock misbehave: recipients see the picture if anybody can show it."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from fsp_pyramid.interfaces import IPublic

from ..conftest import Source
from ..public.pictures import picture
from .beefree import Beefree
from .test_kept import kept

__all__ = ['kept']


# Egnyte


# The disk


def registry_desk(client: Beefree) -> Any:
    return client.app.app.registry.getUtility(IPublic).desk


def test_a_use_that_cannot_be_noted_does_no_harm(
    kept: Callable[..., Beefree], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kept()
    meta = client.upload('/a.png', source.offer(picture())).json['data']['meta']

    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr('fsp_pyramid.public.place.NOTED', -1.0)
    monkeypatch.setattr(os, 'utime', refuse)
    assert client.public(meta['public-url']).body == picture()
    assert client.public(meta['thumbnail']).status_int == 200
