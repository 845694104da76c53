"""Half a million texts to one bot on SQLite: its memory stays flat, and so do its tables.

Everything is as in `make bench`: the bot in a process of its own, the stand-in over HTTP, 64 people who write as soon
as they are answered. After each part the clock goes on by an hour, and everything is tidied, which the bot itself does
once an hour by a clock that can't be moved. Each part prints how much memory the bot uses and how many rows there are.
AJAR_PROVE_UPDATES says how many texts.
"""

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import psutil
import pytest

from bot.clock import FileClock, SystemClock
from bot.services.housekeeping import UPDATES_KEPT, Housekeeping
from bot.storage.store import Store
from bot.storage.traces import DELETABLE
from tests.bench.crowd import FIRST_PERSON, Crowd
from tests.bench.seeds import ring, seed
from tests.databases import sqlite_url
from tests.standin import Telegram, stand_in, start_bot

TEXTS: Final = int(os.environ.get("AJAR_PROVE_UPDATES", "500000"))
PARTS: Final = 50
AT_ONCE: Final = 64
ON_PHONE: Final = 20
"""How many messages of a chat the stand-in keeps, or its own memory would grow."""
GROWTH: Final = 1.15
"""By how much the memory of the last tenth may exceed that of the second."""


@pytest.mark.timeout(6 * 3600)
async def test_memory_and_tables_stay_bounded(tmp_path: Path) -> None:
    file, part = tmp_path / "ajar.db", TEXTS // PARTS
    memory: list[float] = []
    rows: list[dict[str, int]] = []
    async with stand_in() as telegram:
        await seed(sqlite_url(file), first=FIRST_PERSON, count=AT_ONCE, now=SystemClock().now(), asked=True)
        crowd = Crowd(telegram)
        assert telegram.time_file
        clock = FileClock(telegram.time_file.path)
        bot = start_bot(telegram, tmp_path, AJAR_LOG_LEVEL="WARNING")
        await bot.start(seconds=60)
        store = Store.at(sqlite_url(file), ring())
        for number in range(PARTS):
            heard = await crowd.at_once(AT_ONCE, part, first=FIRST_PERSON)
            assert len(heard.waits) == part, "every text was answered"
            memory.append(psutil.Process(bot.pid).memory_info().rss / 2**20)
            rows.append(_rows(file))
            print(f"{part * (number + 1)} texts: {heard.rate:.0f}/s, {memory[-1]:.0f} MiB, {rows[-1]}")  # noqa: T201
            _forget_old(telegram)
            telegram.advance(hours=1)
            await Housekeeping(store, clock).tidy()
        await store.close()
        assert await bot.stop() == 0
    tenth = PARTS // 10
    assert max(memory[-tenth:]) < GROWTH * max(memory[tenth : 2 * tenth])
    for table, hours in (("inbox", UPDATES_KEPT), ("traces", 2 * DELETABLE), ("notices", UPDATES_KEPT)):
        kept = (hours / timedelta(hours=1) + 2) * part
        assert max(each[table] for each in rows) <= kept, table


def _rows(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        tables = ("inbox", "notices", "asks", "lines", "drafts", "traces")
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608


def _forget_old(telegram: Telegram) -> None:
    for chat in telegram.world.chats.values():
        for message_id in sorted(chat.messages)[:-ON_PHONE]:
            del chat.messages[message_id]
