"""Moves the demo's clock as time passes: from one due moment to the next, so that everything in between happens.

A clock that jumps over a week would only show what the bot does after being away for a week, which is mostly nothing.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.demo.errors import NotPossible
from bot.demo.keys import NextDue
from bot.demo.world import World

LOOK: Final = 0.15
"""Seconds between checks of what the bot has done."""
PATIENCE: Final = 10.0
"""How many seconds the bot has to do what is due before the walk ends with a message."""
FARTHEST: Final = timedelta(days=366)
"""How far ahead a walk looks for a message. Beyond that none comes on its own: everybody may have paused."""

Move = Callable[[datetime], None]
"""Moves the clock to a moment."""


class Walk:
    """Walks the clock of one world, one walk at a time."""

    def __init__(self, world: World, next_due: NextDue, move: Move) -> None:
        self._world = world
        self._next_due = next_due
        self._move = move

    async def to(self, target: datetime) -> None:
        """Go to `target`, stopping at everything that is due before. Raises NotPossible if the bot doesn't keep up."""
        while (due := await self._next_due()) is not None and due <= target:
            await self._stop_at(due)
        if target > self._world.now():
            self._move(target)

    async def to_next_message(self) -> None:
        """Continue until the bot has written to somebody. Raises NotPossible if nothing comes."""
        before, last = self._world.version, self._world.now() + FARTHEST
        while self._world.version == before:
            due = await self._next_due()
            if due is None:
                raise NotPossible("Nothing is due: no question and no message is planned yet.")
            if due > last:
                raise NotPossible("Nothing comes by itself within a year. Is everybody on a pause?")
            await self._stop_at(due)

    async def _stop_at(self, due: datetime) -> None:
        """Go to `due`, but never back, and wait until the bot has done what is due then."""
        if due > self._world.now():
            self._move(due)
        loop = asyncio.get_running_loop()
        until, before = loop.time() + PATIENCE, None
        while loop.time() < until:
            await asyncio.sleep(LOOK)
            next_due = await self._next_due()
            # A message being sent looks as if it were due later, so wait until nothing changes between two checks.
            seen = next_due, self._world.calls.count
            if seen == before and (next_due is None or next_due > self._world.now()):
                return
            before = seen
        raise NotPossible("The bot does not do what is due. Is it running? The terminal of the demo says more.")
