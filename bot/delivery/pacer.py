"""How fast the bot writes: 28 messages a second, and nothing to a chat that Telegram asked us to wait with.

Telegram's rule of thumb is 30 messages a second over all chats and about one a second per chat. Above that it answers
429 with the seconds to wait. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

RATE: Final = 28
GLOBAL_AFTER: Final = 2
"""After this many rate-limited chats with no success in between, Telegram may be limiting all of them."""
_PROBE: Final = 0.5
"""Seconds for which everybody else waits while we see whether one chat can be written to."""
_LONGEST: Final = 64.0
"""The most seconds until the next chat is tried."""


class Pacer:
    """Gives turns to write. Times are in seconds of `now`, a monotonic clock like the event loop's.

    Telegram doesn't say whether a 429 is about one chat or all of them. After two of them we try one other chat alone,
    after longer and longer waits. As soon as a message gets through, nobody else has to wait.
    """

    def __init__(self, now: Callable[[], float] | None = None, rate: float = RATE) -> None:
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._gap = 1 / rate
        self._next = 0.0
        self._blocked_until: dict[int, float] = {}
        self._refused: set[int] = set()  # the chats rate-limited since the last success
        self._all_blocked_until = 0.0
        self._tried: int | None = None  # the chat we write to, to see whether all are blocked
        self._tries = 0

    def count_sent(self) -> None:
        """Count an answer, which is always sent out of turn, by delaying the next turn."""
        self._next = max(self._next, self._now()) + self._gap

    async def wait_turn(self) -> None:
        """Wait for the next turn to write to any chat."""
        now = self._now()
        at = max(self._next, now)
        if at - now > 60 * RATE * self._gap:  # no queue is longer than a minute: the clock was set back
            at = now
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)

    def back_off(self, chat_id: int, wait: timedelta) -> None:
        """Note that Telegram asked us to wait with this chat; if it asks for several, maybe with all."""
        now = self._now()
        self._blocked_until = {chat: until for chat, until in self._blocked_until.items() if until > now}
        self._blocked_until[chat_id] = until = now + wait.total_seconds()
        self._refused.add(chat_id)
        if chat_id == self._tried:
            self._all_blocked_until = min(until, now + min(2.0**self._tries, _LONGEST))
            self._tries += 1
            self._tried = None

    def note_success(self) -> None:
        """Note that a message got through, so not all chats are blocked."""
        self._refused.clear()
        self._all_blocked_until = 0.0
        self._tried = None
        self._tries = 0

    @property
    def held(self) -> int:
        """Return how many chats Telegram has asked us to wait with."""
        now = self._now()
        return sum(until > now for until in self._blocked_until.values())

    @property
    def is_blocked(self) -> bool:
        """True if we must not write to anybody for now."""
        return self._all_blocked_until > self._now()

    def delay_for(self, chat_id: int) -> timedelta:
        """Return how long to wait before writing to this chat. If it is zero, the caller must write now."""
        now = self._now()
        until = max(self._blocked_until.get(chat_id, 0.0), self._all_blocked_until)
        if until <= now and len(self._refused) >= GLOBAL_AFTER:
            self._tried = chat_id
            self._all_blocked_until = now + _PROBE
        return timedelta(seconds=max(0.0, until - now))
