"""The bot is killed again and again in the middle of people's days, and nobody notices more than a delay.

`make crash` kills 200 times; here it is a few. AJAR_CRASH_KILLS says how often, AJAR_CRASH_SEED repeats the choices of
a run (not its timing, which depends on the machine).
"""

import asyncio
import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.crypto import KeyRing
from bot.domain.notices import NoticeKind
from bot.storage.store import Store
from tests.crash.killer import Killer
from tests.crash.life import DAY, Life, Register, check, live_a_day, next_morning, settle
from tests.databases import sqlite_url
from tests.standin import TEST_KEY, stand_in, start_bot

KILLS = int(os.environ.get("AJAR_CRASH_KILLS", "5"))
SEED = int(os.environ.get("AJAR_CRASH_SEED", "0")) or random.randrange(1, 1_000_000)
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay")


@pytest.mark.timeout(120 + 15 * KILLS)
async def test_killed_again_and_again(tmp_path: Path) -> None:
    print(f"AJAR_CRASH_KILLS={KILLS} AJAR_CRASH_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    database = tmp_path / "ajar.db"
    async with stand_in() as telegram:
        register = telegram.world.calls = Register(telegram.world.calls)
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        people = [Life(await telegram.person(name), random.Random(chance.random())) for name in NAMES]
        first_day = await settle(telegram, sqlite_url(database), people)
        async with start_bot(telegram, tmp_path) as bot:
            killer = Killer(telegram, bot, database, chance)
            killing = asyncio.create_task(killer.run(KILLS))
            days = 0
            try:
                while not killing.done() or days == 0:
                    await live_a_day(telegram, people)
                    days += 1
            except BaseException:
                killing.cancel()
                raise
            await killing
            await live_a_day(telegram, people)
            days += 1
            telegram.advance(minutes=1)
            await telegram.until(lambda: not _open_notices(database), seconds=30)
            assert await bot.stop() == 0
            assert "incident" not in bot.output, bot.output[-3000:]
    print(f"{killer.kills.total()} kills in {days} days of {len(people)} people: {dict(killer.kills)}")  # noqa: T201
    copies = Counter(register.arrived.values())
    print(f"{sum(len(life.kept) for life in people)} lines; Asks by copies: {dict(copies)}")  # noqa: T201
    assert set(copies) <= {1, 2}, "no Ask comes more than twice"
    _sound(database)
    store = Store.at(sqlite_url(database), KeyRing.parse(TEST_KEY))
    try:
        for life in people:
            await _check(store, database, life, [first_day + n * DAY for n in range(days)])
    finally:
        await store.close()


def _sound(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert _open_notices(database) == [], "everything settles"


def _open_notices(database: Path) -> list[tuple[str, str]]:
    """Return the open Notices except the weekly recap, which waits for its Sunday."""
    later = (NoticeKind.RECAP, "waiting")
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT kind, state FROM notices WHERE settled_at IS NULL").fetchall()
    return [notice for notice in found if notice != later]


async def _check(store: Store, database: Path, life: Life, days: list[datetime]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT id FROM lines WHERE user_id = ? ORDER BY id"
        ids = [row[0] for row in connection.execute(query, (life.person.id,))]
    await check(store, ids, life, days)
