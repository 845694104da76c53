"""The pace of sending: 28 messages a second, and none to a chat that Telegram asked us to wait with.

Several processes share that pace. Turns lie at equal distances on the database's clock, and each of n processes has
every n-th turn. Once a second they tell each other which chats to wait with, and how many answers they have sent beyond
their part.

Telegram's rule of thumb is 30 messages a second over all chats, and about one a second per chat. Above that it answers
429 with the seconds to wait. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

RATE: Final = 28
GLOBAL_AFTER: Final = 2
"""After this many rate-limited chats without a success in between, Telegram may be limiting all of them."""
_PROBE: Final = 0.5
"""Seconds for which everybody else waits while we try whether we can write to one chat."""
_LONGEST: Final = 64.0
"""The most seconds before we try the next chat."""
_LONGEST_QUEUE: Final = 60.0
"""Seconds. No queue is longer than this; if one seems to be, the clock was set back."""
_EVERY_CHAT: Final = 0
_AT_ONCE: Final = 1e-9
"""Seconds that count as no difference."""
_CAUGHT_UP: Final = 0.01
"""Seconds. A turn that is late by less doesn't delay those after it: at a high pace, what the bot does between two
turns takes longer than the distance between them. At the usual pace turns are further apart than this."""
_TICK: Final = 0.002
"""Seconds by which a turn may be late at any pace without delaying those after it: uvloop's waits end at whole
milliseconds, and that alone would cost one turn in a hundred."""
_MORE: Final = 1.03
"""Messages that may leave within a second, for each turn in it: 29 at the usual pace. If it were 1, a message that is
late once would make all others late that follow it."""
_SECOND: Final = 1.005
"""Seconds, and a little for what delays a message on its way."""
_SLACK: Final = 0.1
"""How early a turn may be, as a fraction of the distance between two, since clocks of two machines never quite
agree."""


@dataclass(frozen=True, slots=True)
class Part:
    """Our share of the turns, if several processes share the pace."""

    index: int
    """0 for the first process."""
    count: int
    offset: float
    """The database's clock minus ours, in seconds."""


@dataclass(frozen=True, slots=True)
class Others:
    """What a process learns about the others every second."""

    part: Part | None
    """Our part; None while the others don't know yet that they have to share."""
    holds: Mapping[int, float]
    """How many seconds Telegram asked any of us to wait, by chat; chat 0 is every chat."""
    answers: int
    """How many answers the others have sent beyond their parts since the last time."""


class Pacer:
    """Gives turns to write. Times are in seconds of `now`, a monotonic clock like the event loop's.

    Telegram doesn't say whether a 429 is about one chat or all of them. After two of them, we try a single other chat,
    after longer and longer waits. As soon as a message gets through, nobody has to wait any longer.
    """

    def __init__(
        self,
        now: Callable[[], float] | None = None,
        rate: float = RATE,
        *,
        tell: Callable[[int, float], None] | None = None,
        alone: bool = True,
    ) -> None:
        """`rate` is in messages a second. `tell` tells the others how many seconds to wait with a chat.

        Beside other processes we have no turns until `hear` has told us which are ours.
        """
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self.rate: Final = rate
        self._gap = 1 / rate
        self._next = 0.0
        self._blocked_until: dict[int, float] = {}
        self._refused: set[int] = set()  # the chats rate-limited since the last success
        self._all_blocked_until = 0.0
        self._tried: int | None = None  # the chat we write to, to see whether all are blocked
        self._tries = 0
        self._tell = tell or (lambda _chat, _seconds: None)
        self._part: Part | None = Part(0, 1, 0.0) if alone else None
        self._parted = asyncio.Event()
        self._taken_at = float("-inf")  # when we took our last turn
        self._left: deque[float] = deque(maxlen=self._fit(rate))  # when the last messages left that had turns
        self._answers = 0
        self._counted_at = 0.0
        self._heard: Mapping[int, float] = {}
        self._wary = False  # another process found all chats blocked, so we also try only one

    @property
    def per_second(self) -> float:
        """How many turns a second are ours."""
        return 1 / (self._gap * self._part.count) if self._part else 0.0

    @property
    def _step(self) -> float:
        """Seconds between two turns of ours."""
        return self._gap * (self._part.count if self._part else 1)

    def count_sent(self) -> None:
        """Count an answer, which doesn't wait for a turn, by delaying the next turn."""
        self._next = max(self._next, self._now()) + self._step
        self._answers += 1

    async def wait_turn(self) -> None:
        """Wait for the next turn to write to any chat."""
        while self._part is None:
            self._parted.clear()
            await self._parted.wait()
        now = self._now()
        at = max(self._next, now)
        if at - now > _LONGEST_QUEUE:
            at = now
        at = self._turn_from(at)
        self._next = at + self._step
        if at > now:
            await asyncio.sleep(at - now)
        # After a stall of the event loop, several wake up together, and must not all go at once.
        # A wait that is longer than two turns means that the clock was set back.
        while _AT_ONCE < (wait := self._taken_at + self._step - self._now()) < 2 * self._step:  # noqa: ASYNC110
            await asyncio.sleep(wait)
        now = self._now()
        may_be_late = max(_TICK, _CAUGHT_UP - self._step)
        self._taken_at = min(max(self._taken_at + self._step, now - may_be_late), now)

    async def wait_room(self) -> None:
        """Wait until a message that has had its turn fits into this second. Call it just before the message leaves.

        A turn comes before the transaction that decides about the message. If the disk is slow, messages whose turns
        came one after the other would leave together.
        """
        fit = max(self._fit(self.per_second), 1)
        while len(self._left) >= fit:
            wait = self._left[-fit] + _SECOND - self._now()
            if not _AT_ONCE < wait <= _SECOND:  # more than a second means that the clock was set back
                break
            await asyncio.sleep(wait)
        self._left.append(self._now())

    @staticmethod
    def _fit(per_second: float) -> int:
        return math.ceil(per_second * _MORE)

    def _turn_from(self, moment: float) -> float:
        """Return the first turn of ours at that moment or later."""
        if self._part is None or self._part.count == 1:
            return moment
        first = self._part.index * self._gap - self._part.offset
        steps = math.ceil((moment - first) / self._step - _SLACK)
        return first + steps * self._step

    def pass_on(self) -> int:
        """Return how many answers since the last call the others have to make room for."""
        now, answers = self._now(), self._answers
        spare = max(answers - math.ceil((now - self._counted_at) / self._step), 0)
        if self._part is None or self._part.count == 1:
            spare = 0
        self._counted_at, self._answers = now, 0
        self._next -= spare * self._step
        return spare

    def hear(self, others: Others) -> None:
        """Apply what the others have told us."""
        now = self._now()
        self._part = others.part
        if others.part:
            self._parted.set()
            if others.answers:
                self._next = max(self._next, now) + others.answers / max(others.part.count - 1, 1) * self._step
        self._hear_of_holds(others.holds, now)

    def _hear_of_holds(self, holds: Mapping[int, float], now: float) -> None:
        for chat_id, seconds in holds.items():
            if chat_id == _EVERY_CHAT:
                self._all_blocked_until = max(self._all_blocked_until, now + seconds)
                self._wary = True
            else:
                if chat_id not in self._heard:
                    self._refused.add(chat_id)
                self._blocked_until[chat_id] = max(self._blocked_until.get(chat_id, 0.0), now + seconds)
        if _EVERY_CHAT in self._heard and _EVERY_CHAT not in holds and self._all_blocked_until > now:
            self._all_free()
        self._heard = holds

    def back_off(self, chat_id: int, wait: timedelta) -> None:
        """Note that Telegram asked us to wait with this chat. If it asks for several chats, it may mean all."""
        now, seconds = self._now(), wait.total_seconds()
        self._blocked_until = {chat: until for chat, until in self._blocked_until.items() if until > now}
        self._blocked_until[chat_id] = until = now + seconds
        self._refused.add(chat_id)
        self._heard = {**self._heard, chat_id: seconds}
        self._tell(chat_id, seconds)
        if chat_id == self._tried:
            self._all_blocked_until = min(until, now + min(2.0**self._tries, _LONGEST))
            self._tries += 1
            self._tried = None
            self._tell(_EVERY_CHAT, self._all_blocked_until - now)

    def note_success(self) -> None:
        """Note that a message got through, so that not all chats are blocked."""
        if self._wary or self._tries:
            self._tell(_EVERY_CHAT, 0.0)
        self._all_free()

    def _all_free(self) -> None:
        self._refused.clear()
        self._all_blocked_until = 0.0
        self._tried = None
        self._tries = 0
        self._wary = False

    @property
    def held(self) -> int:
        """How many chats Telegram has asked us to wait with."""
        now = self._now()
        return sum(until > now for until in self._blocked_until.values())

    @property
    def is_blocked(self) -> bool:
        """Whether we must not write to anybody for now."""
        return self._all_blocked_until > self._now()

    def delay_for(self, chat_id: int) -> timedelta:
        """Return how long to wait before writing to this chat. If it is zero, the caller must write now."""
        now = self._now()
        until = max(self._blocked_until.get(chat_id, 0.0), self._all_blocked_until)
        if until <= now and (self._wary or len(self._refused) >= GLOBAL_AFTER):
            self._tried = chat_id
            self._all_blocked_until = now + _PROBE
        return timedelta(seconds=max(0.0, until - now))
