"""Kills the bot with SIGKILL, at moments that hurt, and starts it again."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.demo.faults import Fault
from tests.crash.reader import Reader
from tests.crash.site import BACK
from tests.journeys.test_several import logs
from tests.standin import BotProcess, Telegram

PATIENCE = 1.5  # seconds to wait for the moment; then any other will do


class Noticed(Fault):
    """A fault that reports when it strikes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.struck = asyncio.Event()

    def matches(self, method: str, chat_id: int | None) -> bool:
        found = super().matches(method, chat_id)
        if found:
            self.struck.set()
        return found


class Killer:
    """Each kill is of a random process, at a random one of these points:

    - at any time, also while the bot is still starting
    - when updates were just fetched
    - within a transaction that changes something
    - after the commit, while the message is on its way and arrives, or never does
    - when a message has just arrived, before that is settled, and before the update is confirmed

    A Notice that was on its way is let through the second time: one that may have arrived twice is given up, since a
    third copy would be worse. So that is the one thing that two kills in a row are not allowed to do.

    Of several processes any may fetch or send at that moment, and one may be killed before another has taken over what
    an earlier one left.
    """

    def __init__(
        self,
        telegram: Telegram,
        bots: Sequence[BotProcess],
        reader: Reader,
        chance: random.Random,
        *,
        whenever: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`whenever` is called each time a process is dead, to look at what it has left."""
        self.kills: Counter[str] = Counter()
        self._whenever = whenever
        self._telegram = telegram
        self._bots = bots
        self._bot = bots[0]
        self._reader = reader
        self._chance = chance
        self._points: list[Callable[[], Awaitable[None]]] = [
            self._any_time,
            self._fetched,
            self._in_a_transaction,
            self._on_its_way,
            self._arrived,
            self._starting,
        ]

    async def run(self, count: int) -> None:
        """Kill this many times, and leave the bot running."""
        while self.kills.total() < count:
            self._bot = self._chance.choice(self._bots)
            point = self._chance.choice(self._points)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(point(), PATIENCE)
            await self._kill()
            if self._whenever:
                await self._whenever()
            await self._telegram.no_faults()
            self.kills[point.__name__] += 1
            on_their_way = await self._on_their_way()
            await self._start_again()
            await asyncio.sleep(self._chance.uniform(0.2, 1.2))
            await self._let_through(on_their_way)

    async def _kill(self) -> None:
        await self._bot.kill()
        await self._reader.has_ended(self._bot)

    async def _start_again(self) -> None:
        """Start it and wait until it works, so that a slow machine gets something done between the kills."""
        if len(self._bots) > 1 and self._chance.random() < 1 / 3:
            await self._bot.begin()  # the next one is killed while nobody may be fetching updates
            return
        said = len(self._bot.output)
        await self._bot.start(seconds=BACK)
        await logs(self._bot, "ready bot=", after=said)

    async def _let_through(self, on_their_way: set[int]) -> None:
        ids = ", ".join(map(str, on_their_way)) or "NULL"
        query = f"SELECT id FROM notices WHERE settled_at IS NULL AND id IN ({ids})"  # noqa: S608  # numbers
        await self._reader.finds_nothing(query, seconds=60)

    async def _on_their_way(self) -> set[int]:
        """Return the Notices that were being sent when the bot was killed."""
        found = await self._reader.ask("SELECT id FROM notices WHERE settled_at IS NULL AND state = 'sending'")
        return {notice_id for (notice_id,) in found}

    async def _any_time(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.6))

    async def _starting(self) -> None:
        """Kill it, start it, and kill it again before it is up."""
        await self._kill()
        if await self._on_their_way():
            return
        await self._bot.begin()
        await asyncio.sleep(self._chance.uniform(0.1, 1.4))

    async def _fetched(self) -> None:
        since = self._telegram.world.calls.count

        def fetched() -> bool:
            return any(call["result_or_error"] for call in self._telegram.calls("getUpdates", since))

        await self._telegram.until(fetched, seconds=PATIENCE)

    async def _arrived(self) -> None:
        since = self._telegram.world.calls.count
        await self._telegram.until(lambda: bool(self._telegram.calls("sendMessage", since)), seconds=PATIENCE)

    async def _on_its_way(self) -> None:
        slow = Noticed("sendMessage", "slow", seconds=self._chance.uniform(0.02, 0.3))
        self._telegram.world.faults.add(slow)
        if self._chance.random() < 1 / 2:
            slow.chat_id = self._chance.choice(list(self._telegram.world.chats))
            self._telegram.world.faults.add(Fault("sendMessage", "cut_before", chat_id=slow.chat_id))
        await slow.struck.wait()
        await asyncio.sleep(self._chance.choice((0, slow.seconds * 2)))

    async def _in_a_transaction(self) -> None:
        await self._reader.kill_while_writing(self._bot, PATIENCE - 0.2)
