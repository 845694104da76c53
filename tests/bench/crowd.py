"""People who write to any bot, and wait for what it says."""

import asyncio
import gc
import itertools
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.demo import people
from bot.demo.calls import Calls
from tests.standin import Telegram

PATIENCE = 30.0
FIRST_PERSON = 10_000


class Listening(Calls):
    """The stand-in's log of calls, which also wakes whoever waits for a message of the bot."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls._now)
        self.waiting: dict[int, asyncio.Future[None]] = {}

    def add(self, method: str, params: dict[str, Any], status: int, result_or_error: Any, *, ok: bool) -> None:
        super().add(method, params, status, result_or_error, ok=ok)
        if method == "sendMessage" and ok and (waiter := self.waiting.pop(int(params["chat_id"]), None)):
            waiter.set_result(None)


@dataclass
class Heard:
    """The time that each answer took, in seconds, and the total."""

    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.waits) / self.seconds

    def percentile(self, percent: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.waits)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


class Crowd:
    """As many people as are needed; each of them writes one text and waits for the answer."""

    def __init__(self, telegram: Telegram) -> None:
        self._world = telegram.world
        self._calls = Listening(telegram.world.calls)
        telegram.world.calls = self._calls
        self._people: Iterator[int] = itertools.count(FIRST_PERSON)

    async def at_once(self, count: int, texts: int, *, first: int | None = None) -> Heard:
        """Let this many people write at a time, up to this many texts: each answer makes room for the next text.

        Each text comes from somebody else; with `first` from as many people as write at a time, with ids from there on.
        """
        heard = Heard()
        left = iter(range(texts))

        async def person(number: int) -> None:
            for _ in left:
                heard.waits.append(await self._writes(None if first is None else first + number))

        with uncollected():
            began = time.perf_counter()
            await asyncio.gather(*map(person, range(count)))
            heard.seconds = time.perf_counter() - began
        return heard

    async def steadily(self, rate: float, texts: int) -> Heard:
        """Send this many texts per second, no matter if the previous ones were answered."""
        heard = Heard()

        async def person() -> None:
            heard.waits.append(await self._writes())

        with uncollected():
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(texts):
                    await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                    group.create_task(person())
            heard.seconds = time.perf_counter() - began
        return heard

    async def _writes(self, user_id: int | None = None) -> float:
        user_id = next(self._people) if user_id is None else user_id
        self._world.person(user_id, first_name="P", language_code="en")
        answered = self._calls.waiting[user_id] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        people.says(self._world, user_id, f"a line of ordinary length, from {user_id}, about nothing in particular")
        await asyncio.wait_for(answered, PATIENCE)
        return time.perf_counter() - began


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in this process, where the stand-in and the clock are.

    A collection takes a tenth of a second here, since every call of every contestant is kept. It would count as the
    time of whoever is being answered.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def know(telegram: Telegram, user_ids: Iterable[int]) -> None:
    """Create these people, whom the bot may write to and who say nothing."""
    for user_id in user_ids:
        telegram.world.person(user_id, first_name="P", language_code="en").started = True
