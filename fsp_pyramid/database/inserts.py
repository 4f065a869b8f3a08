"""INSERT with ON CONFLICT, by dialect: each database has its own class for it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

INSERT: dict[str, Callable[..., Any]] = {'sqlite': sqlite.insert, 'postgresql': postgresql.insert}
