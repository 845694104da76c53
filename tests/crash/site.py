"""Where a bot is killed at random: as one process or several, on SQLite or on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from tests.crash.reader import PostgresReader, Reader, SqliteReader
from tests.databases import PostgresServer, sqlite_url
from tests.histories import faults
from tests.standin import BotProcess, Telegram, start_bot

BACK: Final = 60.0
"""Seconds within which updates are fetched again. On PostgreSQL ten pass until a killed process counts as gone."""
_ROLE: Final = """
DO $$ BEGIN CREATE ROLE {} SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""


@dataclass(frozen=True)
class Site:
    """A database, and the settings of each process that uses it, by the name of its folder."""

    reader: Reader
    folder: Path
    settings: dict[str, dict[str, str]]

    @asynccontextmanager
    async def running(self, telegram: Telegram) -> AsyncIterator[Sequence[BotProcess]]:
        """Run the bot. In the end every process stops when it is told to, and has had no incident.

        On PostgreSQL the history of the rows must be right as well.
        """
        bots = [start_bot(telegram, self.folder / name, **own) for name, own in self.settings.items()]
        async with self.reader.recorded() as history, AsyncExitStack() as stack:
            for bot in bots:
                stack.push_async_exit(bot)
            await asyncio.gather(*(bot.start(seconds=BACK) for bot in bots))
            yield bots
            for bot in bots:
                assert await bot.stop() == 0
                assert "incident" not in bot.output, bot.output[-3000:]
        assert not (wrong := faults(history.events, only_texts=False)), wrong


def on_sqlite(folder: Path) -> Site:
    (folder / "bot").mkdir()
    return Site(SqliteReader(sqlite_url(folder / "bot" / "ajar.db")), folder, {"bot": {}})


@asynccontextmanager
async def on_postgres(server: PostgresServer, folder: Path, processes: int) -> AsyncIterator[Site]:
    settings = {}
    async with server.emptied() as url:
        for name in (f"bot{number}" for number in range(1, processes + 1)):
            await server.run(_ROLE.format(name))
            address = make_url(url).set(drivername="postgresql", username=name).render_as_string()
            settings[name] = {"AJAR_DATABASE_URL": address, "AJAR_ENDINGS_DIR": str(folder / "endings")}
        reader = PostgresReader(url)
        try:
            yield Site(reader, folder, settings)
        finally:
            await reader.close()
