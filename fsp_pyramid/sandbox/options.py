"""Options of a sandbox, from its limits to the questions that the sources leave open."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One sandbox. Everything below *throttle* is a switch for an uncertain fact.

    :param root: the directory with all state; it is created when the first call comes
    :param seed: fill a new root with the tree of :mod:`.seed`
    :param qps: calls a second and token, None for no limit
    :param daily: calls a day and token, None for no limit
    :param latency: seconds that every API call waits before it is carried out
    :param throttle: how a refused call looks: status 429, or the older gateway's 403
    :param strict_parents: refuse (404) instead of creating missing parent folders
    :param case_sensitive: tell names apart that differ only in case
    :param normalizing: take the composed and the decomposed form of a name (NFC, NFD) for one name
    :param files_in_shared: accept files directly in /Shared
    :param empty_uploads: accept files of 0 bytes
    :param exists_status: for a move or copy onto something that exists (403 or 409)
    :param bad_name_status: for a name that Egnyte does not store
    :param checksum_status: for a body that does not have the announced checksum
    :param locked_status: for a change to what somebody else has locked
    :param chunk_minimum: bytes that every chunk but the last must have
    :param trash_for_all: let every user at the trash, not only administrators
    :param refresh_tokens: tokens expire after 30 days and come with a refresh token
    :param hourly_grants: requests at the token endpoint an hour and API key, None for no limit
    :param clock: seconds since 1970; tests set it
    """

    root: Path
    seed: bool = False
    qps: int | None = None
    daily: int | None = None
    latency: float = 0
    throttle: Literal['429', 'mashery'] = '429'
    strict_parents: bool = False
    case_sensitive: bool = False
    normalizing: bool = False
    files_in_shared: bool = False
    empty_uploads: bool = False
    exists_status: int = 403
    bad_name_status: int = 400
    checksum_status: int = 400
    locked_status: int = 403
    chunk_minimum: int = 10 * MEGABYTE
    trash_for_all: bool = False
    refresh_tokens: bool = True
    hourly_grants: int | None = None
    clock: Callable[[], float] = time.time

    def now(self) -> int:
        """UNIX milliseconds."""
        return int(self.clock() * 1000)

    def __post_init__(self) -> None:
        if self.throttle not in {'429', 'mashery'}:
            raise ValueError(f"throttle is '429' or 'mashery', not {self.throttle!r}")
        for name in ('qps', 'daily', 'hourly_grants'):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise ValueError(f'{name} is at least 1, not {limit!r}')
