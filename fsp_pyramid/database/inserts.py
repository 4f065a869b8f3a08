"""INSERT with ON CONFLICT: both databases know it, each in a class of its own."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

INSERT: dict[str, Callable[..., Any]] = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}
