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

PATIENCE = 1.5  # seconds until the moment that is waited for; then any other will do


class Noticed(Fault):
    """A fault that tells when it strikes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.struck = asyncio.Event()

    def matches(self, method: str, chat_id: int | None) -> bool:
        found = super().matches(method, chat_id)
        if found:
            self.struck.set()
        return found


class Killer:
    """Each kill at a random one of these points:

    - at any time, also while the bot is still starting
    - when updates were just fetched
    - within a transaction: when the database is found locked
    - after the commit, while the answer is on its way and arrives (or never does: `spares` says for whom not)
    - when a message has just arrived, before that is settled, and before the update is confirmed
    """

    def __init__(self, telegram: Telegram, bot: BotProcess, database: Path, chance: random.Random) -> None:
        self.kills: Counter[str] = Counter()
        self.lost_on_the_way: set[int] = set()
        """Who has had a message lost on its way since this was last emptied; a second in a row would be given up."""
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
        """Kill so many times, and leave the bot running."""
        while self.kills.total() < count:
            point = self._chance.choice(self._points)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(point(), PATIENCE)
            await self._bot.kill()
            await self._telegram.no_faults()
            self.kills[point.__name__] += 1
            await self._bot.start()
            await asyncio.sleep(self._chance.uniform(0, 0.8))

    async def _any_time(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.6))

    async def _starting(self) -> None:
        """Killed, started, and killed again before it is up."""
        await self._bot.kill()
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
        chat_id = self._chance.choice(list(self._telegram.world.chats))
        if self._chance.random() < 1 / 2 and chat_id not in self.lost_on_the_way:
            slow.chat_id = chat_id
            self._telegram.world.faults.add(Fault("sendMessage", "cut_before", chat_id=chat_id))
        await slow.struck.wait()
        if slow.chat_id:
            self.lost_on_the_way.add(slow.chat_id)
        await asyncio.sleep(self._chance.choice((0, slow.seconds * 2)))

    async def _in_a_transaction(self) -> None:
        await asyncio.to_thread(_kill_when_locked, self._bot.pid, self._database)


def _kill_when_locked(pid: int, database: Path) -> None:
    """Kill at once when somebody is in the middle of writing."""
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
