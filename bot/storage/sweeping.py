"""Sweeping: removing deleted content from the disk, where SQLite's write-ahead log would keep it for a while.

A sweep copies the log into the database, where freed bytes are overwritten, and empties the log. That isn't possible
while somebody reads an older state of the database, as a backup does. A sweep never makes anybody wait: if it isn't
possible now, we try again later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_DELAY: Final = 1.0
"""Seconds before each try in the background, so that one sweep covers deletions in quick succession."""
_TRIES: Final = 5
_BETWEEN_TRIES: Final = 0.02
"""Seconds between tries while a caller waits. The bot's own reads are shorter than that."""


class Sweeper:
    """Sweeps at once, or in the background until it is done."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]]) -> None:
        """`sweep` tries once, without waiting for anybody, and returns whether it is done."""
        self._sweep = sweep
        self._wanted = 0
        self._swept = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether everything that had to be swept has been."""
        return self._swept == self._wanted

    async def now(self) -> bool:
        """Sweep, and return whether it is done. If it isn't, go on trying in the background."""
        self._wanted += 1
        for _ in range(_TRIES):
            if await self._try():
                return True
            await asyncio.sleep(_BETWEEN_TRIES)
        self._go_on()
        return False

    def soon(self) -> None:
        """Sweep in the background."""
        self._wanted += 1
        self._go_on()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _go_on(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._until_done(), name="sweeping")

    async def _until_done(self) -> None:
        while not self.done:
            await asyncio.sleep(_DELAY)
            await self._try()

    async def _try(self) -> bool:
        wanted = self._wanted
        if not await self._sweep():
            return False
        self._swept = max(self._swept, wanted)
        return True
