"""Reads what a bot has stored, on SQLite and on PostgreSQL, while it runs or is dead."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.histories import Recording, recorded
from tests.standin import BotProcess

OPEN: Final = """
SELECT kind, state FROM notices WHERE settled_at IS NULL AND NOT (kind = 'recap' AND state = 'waiting')
"""
"""The open Notices, except the weekly recap, which waits for its Sunday."""
UNDER_WAY: Final = """
SELECT id FROM inbox WHERE lane IS NOT NULL
UNION ALL SELECT id FROM notices WHERE settled_at IS NULL AND state IN ('claimed', 'sending')
"""
"""The updates that aren't answered, and the Notices that somebody has claimed."""
_LOOK_AGAIN: Final = 0.1
"""Seconds between looks for something to end."""
_OF_A_BOT: Final = "datname = current_database() AND usename = :bot"
_GOES_ON: Final = f"SELECT pid FROM pg_stat_activity WHERE {_OF_A_BOT}"  # noqa: S608
_WRITES: Final = f"""
SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE {_OF_A_BOT} AND mode = 'RowExclusiveLock' AND relation IN ('inbox'::regclass, 'notices'::regclass)
"""  # noqa: S608
"""Whether it changes what everything under way is in; otherwise its beat would be found nearly always."""


class Reader(ABC):
    """Takes statements that both databases understand. Each is a transaction of its own."""

    def __init__(self, url: str, engine: AsyncEngine) -> None:
        self.url = url
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]

    async def finds_nothing(self, query: str, *, seconds: float, **values: Any) -> None:
        """Wait until this query finds nothing."""
        found: object = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while found := await self.ask(query, **values):  # noqa: ASYNC110  # it happens elsewhere
                    await asyncio.sleep(_LOOK_AGAIN)
        assert not found, f"{query} still finds {found}"

    async def is_sound(self) -> None:
        """Everything settles, and SQLite finds no damage."""
        assert await self.ask(OPEN) == []

    def recorded(self) -> AbstractAsyncContextManager[Recording]:
        """Write down what happens, if that is possible here."""
        return contextlib.nullcontext(Recording())

    @abstractmethod
    async def has_ended(self, bot: BotProcess) -> None:
        """Wait until nothing goes on in the database on behalf of a killed process."""

    @abstractmethod
    async def kill_while_writing(self, bot: BotProcess, seconds: float) -> None:
        """Kill a process as soon as it is in the middle of a transaction that changes something."""


class SqliteReader(Reader):
    """Reads a file, which it doesn't keep open, since that would change how the bot closes and opens it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, create_async_engine(url, poolclass=NullPool))

    async def has_ended(self, bot: BotProcess) -> None:
        """Return at once: what it did, it did in its own process."""

    async def is_sound(self) -> None:
        await super().is_sound()
        assert await self.ask("PRAGMA integrity_check") == [("ok",)]
        assert await self.ask("PRAGMA foreign_key_check") == []

    async def kill_while_writing(self, bot: BotProcess, seconds: float) -> None:
        file = Path(make_url(self.url).database or "")
        await asyncio.to_thread(_kill_when_locked, bot.pid, file, time.monotonic() + seconds)


class PostgresReader(Reader):
    """Reads a database in which each process has the name of its folder, so that its transactions can be told apart."""

    def __init__(self, url: str) -> None:
        super().__init__(url, create_async_engine(url))

    async def close(self) -> None:
        await self._engine.dispose()

    def recorded(self) -> AbstractAsyncContextManager[Recording]:
        return recorded(self.url)

    async def has_ended(self, bot: BotProcess) -> None:
        await self.finds_nothing(_GOES_ON, bot=bot.data_dir.name, seconds=20)

    async def kill_while_writing(self, bot: BotProcess, seconds: float) -> None:
        async with self._engine.connect() as connection, asyncio.timeout(seconds):
            writes, of_it = text(_WRITES), {"bot": bot.data_dir.name}
            while not (await connection.execute(writes, of_it)).first():  # noqa: ASYNC110  # it happens elsewhere
                await asyncio.sleep(0.0005)
            os.kill(bot.pid, signal.SIGKILL)


def _kill_when_locked(pid: int, file: Path, until: float) -> None:
    with contextlib.closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        while time.monotonic() < until:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGKILL)
                return
            connection.execute("ROLLBACK")
            time.sleep(0.0005)  # noqa: TID251  # in a thread of its own
