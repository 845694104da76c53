"""The connections that only read SQLite: of several, one that is enough does all the reading."""

import asyncio
from pathlib import Path
from typing import Any

from bot.storage.engine import SqliteDatabase
from tests.databases import sqlite_url


async def test_reading_in_turn_fills_only_one_cache(tmp_path: Path) -> None:
    """Going through all users fills a connection's cache with 6 MiB."""
    database = SqliteDatabase(sqlite_url(tmp_path / "empty.db"))

    async def read() -> Any:
        async with database.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")
            return (await connection.get_raw_connection()).driver_connection

    try:
        assert len({id(each) for each in await asyncio.gather(*[read() for _ in range(4)])}) == 2
        assert len({id(await read()) for _ in range(6)}) == 1
    finally:
        await database.close()
