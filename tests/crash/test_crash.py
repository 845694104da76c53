"""The bot is killed again and again in the middle of people's days, and nobody notices more than a delay.

`make crash` kills 200 times on each database, and as many times one of three processes; here it is a few.
AJAR_CRASH_KILLS says how often, AJAR_CRASH_SEED repeats the choices of a run (not its timing, which depends on the
machine).
"""

import asyncio
import os
import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from bot.crypto import KeyRing
from bot.storage.store import Store
from tests.crash.killer import Killer
from tests.crash.life import DAY, Life, Register, check, live_a_day, next_morning, settle
from tests.crash.reader import OPEN, UNDER_WAY, Reader
from tests.crash.site import Site
from tests.standin import TEST_KEY, stand_in

KILLS = int(os.environ.get("AJAR_CRASH_KILLS", "5"))
SEED = int(os.environ.get("AJAR_CRASH_SEED", "0")) or random.randrange(1, 1_000_000)
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay")
COPIES = 3
"""How often an answer may come that may have arrived each time."""


@pytest.mark.timeout(120 + 30 * KILLS)
async def test_killed_again_and_again(site: Site) -> None:
    print(f"AJAR_CRASH_KILLS={KILLS} AJAR_CRASH_SEED={SEED}")  # noqa: T201
    chance, reader = random.Random(SEED), site.reader
    async with stand_in() as telegram:
        register = telegram.world.calls = Register(telegram.world.calls)
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        people = [Life(await telegram.person(name), random.Random(chance.random())) for name in NAMES]
        first_day = await settle(telegram, reader.url, people)
        async with site.running(telegram) as bots:
            killer = Killer(telegram, bots, reader, chance)
            killing = asyncio.create_task(killer.run(KILLS))
            days = 0
            try:
                while not killing.done() or days == 0:
                    await live_a_day(telegram, people)
                    await reader.finds_nothing(UNDER_WAY, seconds=90)  # claims end when the clock is moved by hours
                    days += 1
            except BaseException:
                killing.cancel()
                raise
            await killing
            await live_a_day(telegram, people)
            days += 1
            telegram.advance(minutes=1)
            await reader.finds_nothing(OPEN, seconds=30)
    print(f"{killer.kills.total()} kills in {days} days of {len(people)} people: {dict(killer.kills)}")  # noqa: T201
    asks, answers = Counter(register.asks.values()), Counter(register.answers.values())
    kept = sum(len(life.kept) for life in people)
    print(f"{kept} lines; Asks by copies: {dict(asks)}; answers to texts by copies: {dict(answers)}")  # noqa: T201
    assert set(asks) <= {1, 2}, "no Ask comes more than twice"
    assert max(answers) <= COPIES
    await reader.is_sound()
    store = Store.at(reader.url, KeyRing.parse(TEST_KEY))
    try:
        for life in people:
            await _check(store, reader, life, [first_day + n * DAY for n in range(days)])
    finally:
        await store.close()


async def _check(store: Store, reader: Reader, life: Life, days: list[datetime]) -> None:
    found = await reader.ask("SELECT id FROM lines WHERE user_id = :user ORDER BY id", user=life.person.id)
    await check(store, [line_id for (line_id,) in found], life, days)
