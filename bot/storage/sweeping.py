"""Sweeping: getting what was deleted off the disk, where SQLite's write-ahead log would keep it for a while.

A sweep copies the log into the database, whose freed bytes are overwritten, and empties the log. That can't be done
while somebody reads an older state of the database, as a backup does. Nobody is made to wait for it: a sweep that
can't be done now is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_BREATH: Final = 1.0
"""Seconds until the next try, and until the first where nobody waits: what is deleted in a row is swept together."""
_TRIES: Final = 5
_BETWEEN_TRIES: Final = 0.02
"""Seconds between the tries of somebody who waits. The bot's own reads are shorter than that."""


class Sweeper:
    """Sweeps at once, or in the background until it is done."""

    def __init__(self, sweep: Callable[[], Awaitable[bool]]) -> None:
        """`sweep` tries once, without waiting for anybody, and says whether it is done."""
        self._sweep = sweep
        self._wanted = 0
        self._swept = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether everything that was to be swept is."""
        return self._swept == self._wanted

    async def now(self) -> bool:
        """Sweep. Whether it is done; if it isn't, it is tried in the background from now on."""
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
            await asyncio.sleep(_BREATH)
            await self._try()

    async def _try(self) -> bool:
        wanted = self._wanted
        if not await self._sweep():
            return False
        self._swept = max(self._swept, wanted)
        return True
