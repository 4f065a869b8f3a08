"""Tween that measures all responses, including those of the provider."""

import time
from collections.abc import Callable
from typing import Any


def timing(handler: Callable[[Any], Any], _registry: Any) -> Callable[[Any], Any]:
    """Tween: report the time of a request to the developer tools of browsers."""

    def timed(request: Any) -> Any:
        started = time.perf_counter()
        response = handler(request)
        response.headers['Server-Timing'] = f'app;dur={(time.perf_counter() - started) * 1000:.1f}'
        return response

    return timed
