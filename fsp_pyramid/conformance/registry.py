"""Table of all checks: modules of ``checks`` register theirs when they are imported."""

from collections.abc import Callable, Sequence
from functools import partialmethod
from importlib import import_module
from typing import TYPE_CHECKING

from .model import Check, Level, Options, Profile

if TYPE_CHECKING:
    from .context import Context

    Function = Callable[[Context], None]

# In the order in which they are reported.
GROUPS = (
    'transport',
    'authentication',
    'metadata',
    'listing',
    'directories',
    'upload',
    'conflicts',
    'move',
    'delete',
    'names',
    'errors',
    'public',
    'thumbnails',
    'isolation',
)
_CHECKS: dict[str, Check] = {}


class Group:
    """Decorators for the checks of one group, with what they have in common.

    :param needs: ids, with blanks between them
    """

    def __init__(self, name: str, needs: str = '', *, changes: bool = False, current: bool = False) -> None:
        self._name, self._needs, self._changes, self._current = name, needs, changes, current

    def _register(
        self,
        level: Level,
        rule: str,
        title: str,
        expected: str,
        reference: str,
        *,
        needs: str | None = None,
        cost: int = 0,
        changes: bool | None = None,
        current: bool | None = None,
    ) -> 'Callable[[Function], Function]':
        def register(function: 'Function') -> 'Function':
            check = Check(
                id=f'{self._name}.{rule}',
                title=title,
                level=level,
                expected=expected,
                reference=reference,
                needs=tuple((self._needs if needs is None else needs).split()),
                cost=cost,
                changes=self._changes if changes is None else changes,
                current=self._current if current is None else current,
                function=function,
            )
            if check.id in _CHECKS:
                raise ValueError(f'there are two checks {check.id}')
            _CHECKS[check.id] = check
            return function

        return register

    must = partialmethod(_register, Level.MUST)
    should = partialmethod(_register, Level.SHOULD)
    may = partialmethod(_register, Level.MAY)


def checks() -> dict[str, Check]:
    """Return all checks by their ids, in the order of the groups."""
    for group in GROUPS:
        import_module(f'.checks.{group}', __package__)
    return dict(_CHECKS)


def select(options: Options, ids: Sequence[str] = ()) -> list[Check]:
    """Return the checks that *options* ask for, each after those that it needs.

    :param ids: checks to make, instead of all in the groups
    """
    table = checks()
    selected: dict[str, Check] = {}
    wanted = [
        check
        for check in table.values()
        if (check.id in ids if ids else not options.only or check.group in options.only)
        and not (check.current and options.profile is Profile.SEED)
        and not (check.changes and options.read_only)
    ]

    def add(check: Check) -> None:
        for need in check.needs:
            add(table[need])
        selected.setdefault(check.id, check)

    for check in wanted:
        add(check)
    return list(selected.values())
