"""How fast the bot writes: 28 messages a second, and nobody who asked us to wait is pressed.

Telegram's rule of thumb is 30 messages a second over all chats and about one a second in a chat; above it answers 429
with the seconds to wait. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

RATE: Final = 28
GLOBAL_AFTER: Final = 2
"""So many chats that hold us off, and nobody written to in between, mean that Telegram holds all of them."""
_ALL_HELD: Final = 30.0
"""Seconds for which all are held at the most, before somebody else is tried: it may be those few chats after all."""


class Pacer:
    """Gives turns to write. Times are seconds of `now`, a steady clock like the event loop's."""

    def __init__(self, now: Callable[[], float] | None = None, rate: float = RATE) -> None:
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._gap = 1 / rate
        self._next = 0.0
        self._held: dict[int, float] = {}
        self._refused: set[int] = set()  # who held us off since somebody could last be written to
        self._all_held = 0.0

    def spend(self) -> None:
        """An answer was sent out of turn, as answers are; what waits gives way for it."""
        self._next = max(self._next, self._now()) + self._gap

    async def turn(self) -> None:
        """Wait for the next turn to write to anybody."""
        now = self._now()
        at = max(self._next, now, self._all_held)
        if at - now > _longest_wait(self._gap, self._all_held - now):
            at = now  # the clock was set back under us
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)

    def hold(self, chat_id: int, wait: timedelta) -> None:
        """Telegram asked us to wait with this chat; when it asks for several, with all."""
        now = self._now()
        self._held = {chat: until for chat, until in self._held.items() if until > now}
        self._held[chat_id] = until = now + wait.total_seconds()
        self._refused = (self._refused | {chat_id}) & self._held.keys()
        if len(self._refused) >= GLOBAL_AFTER:
            self._all_held = max(self._all_held, min(until, now + _ALL_HELD))

    def went(self) -> None:
        """Somebody could be written to, so not all are held."""
        self._refused.clear()

    @property
    def holds_all(self) -> bool:
        """Whether nobody at all may be written to for now."""
        return self._all_held > self._now()

    def wait_for(self, chat_id: int) -> timedelta:
        """How long this chat is still held."""
        until = max(self._held.get(chat_id, 0.0), self._all_held)
        return timedelta(seconds=max(0.0, until - self._now()))


def _longest_wait(gap: float, held: float) -> float:
    """No queue of turns is longer than a minute of them, unless everything is held."""
    return max(60 * RATE * gap, held)
