"""Kills the bot with SIGKILL, at moments that hurt, and starts it again."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bot.demo.faults import Fault
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
    """Each kill is at a random one of these points:

    - at any time, also while the bot is still starting
    - when updates were just fetched
    - within a transaction: when the database is found locked
    - after the commit, while the message is on its way and arrives, or never does
    - when a message has just arrived, before that is settled, and before the update is confirmed

    A Notice that was on its way is let through the second time: one that may have arrived twice is given up, since a
    third copy would be worse. So that is the one thing that two kills in a row are not allowed to do.
    """

    def __init__(
        self,
        telegram: Telegram,
        bot: BotProcess,
        database: Path,
        chance: random.Random,
        *,
        whenever: Callable[[], None] | None = None,
    ) -> None:
        """`whenever` is called each time the bot is dead, to look at what it has left."""
        self.kills: Counter[str] = Counter()
        self._whenever = whenever
        self._telegram = telegram
        self._bot = bot
        self._database = database
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
            point = self._chance.choice(self._points)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(point(), PATIENCE)
            await self._bot.kill()
            if self._whenever:
                self._whenever()
            await self._telegram.no_faults()
            self.kills[point.__name__] += 1
            on_their_way = self._on_their_way()
            await self._bot.start()
            await asyncio.sleep(self._chance.uniform(0.2, 1.2))
            await self._let_through(on_their_way)

    async def _let_through(self, on_their_way: set[int]) -> None:
        async with asyncio.timeout(60):
            while on_their_way & self._open():  # noqa: ASYNC110  # it happens in another process
                await asyncio.sleep(0.05)

    def _on_their_way(self) -> set[int]:
        """Return the Notices that were being sent when the bot was killed."""
        return self._notices("state = 'sending'")

    def _open(self) -> set[int]:
        return self._notices("TRUE")

    def _notices(self, which: str) -> set[int]:
        with contextlib.closing(sqlite3.connect(self._database, timeout=10)) as connection:
            found = connection.execute(f"SELECT id FROM notices WHERE settled_at IS NULL AND {which}")  # noqa: S608
            return {notice_id for (notice_id,) in found}

    async def _any_time(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.6))

    async def _starting(self) -> None:
        """Kill it, start it, and kill it again before it is up."""
        await self._bot.kill()
        if self._on_their_way():
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
        await asyncio.to_thread(_kill_when_locked, self._bot.pid, self._database)


def _kill_when_locked(pid: int, database: Path) -> None:
    """Kill as soon as somebody is in the middle of writing."""
    until = time.monotonic() + PATIENCE - 0.2
    with contextlib.closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        while time.monotonic() < until:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGKILL)
                return
            connection.execute("ROLLBACK")
            time.sleep(0.0005)  # noqa: TID251  # in a thread of its own
