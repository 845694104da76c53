"""Copies SQLite's log into the database beside the writers (a checkpoint), so that no commit waits for it.

By itself SQLite copies the log within a commit, as soon as it has a thousand pages. That commit takes ten times as long
as others, and everybody waits for it. Here a separate connection copies it, a second after a commit. SQLite begins the
log anew only once all of it is copied, which never happens while commits keep coming. So when the log has become long,
we stop the writers for a moment and copy the little that was added meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

MOST_PAGES: Final = 20_000
"""With this many pages SQLite copies the log within a commit after all: a reader kept us from it, or we are slow."""
_LONG: Final = 4_000
"""With more pages than this we make the log begin anew. A page has 4 KiB."""
_DELAY: Final = 1.0
"""Seconds from a commit to the next copy, so that pages which change often are copied once."""


class Log(NamedTuple):
    """The state of the log, as a checkpoint found it."""

    pages: int
    copied: int
    """Fewer than all if somebody reads an older state of the database."""


class Checkpoints:
    """Copies the log in the background, as long as something is committed."""

    def __init__(self, copy: Callable[[], Awaitable[Log | None]], restart: Callable[[], Awaitable[object]]) -> None:
        """`copy` copies the log beside the writers, or returns None. `restart` copies the rest while nobody writes."""
        self._copy = copy
        self._restart = restart
        self._is_behind = False
        self._task: asyncio.Task[None] | None = None

    def committed(self) -> None:
        """Copy the log soon."""
        self._is_behind = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._until_copied(), name="checkpoints")

    async def finish(self) -> None:
        """Wait until what was committed is copied."""
        if self._task:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _until_copied(self) -> None:
        while self._is_behind:
            await asyncio.sleep(_DELAY)
            self._is_behind = False
            log = await self._copy()
            if log and log.pages > _LONG:
                await self._begin_anew()

    async def _begin_anew(self) -> None:
        """Let the log begin anew, unless somebody reads an older state. What came meanwhile is copied first."""
        log = await self._copy()
        if log and log.pages == log.copied:
            await self._restart()
