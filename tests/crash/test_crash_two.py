"""The bot is killed again and again while people pair, share, receive and part, and nobody notices more than a delay.

`make crash` kills often; here it is a few times. AJAR_CRASH_KILLS and AJAR_CRASH_SEED are as in test_crash.
"""

import asyncio
import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.crypto import KeyRing
from bot.domain.sharing import UNDO_FOR
from bot.storage.store import Store
from tests.crash.couple import Couple, End, Post
from tests.crash.killer import Killer
from tests.crash.life import Life, next_morning, settle
from tests.crash.test_crash import KILLS, SEED, _open_notices, _sound
from tests.databases import sqlite_url
from tests.standin import TEST_KEY, Telegram, stand_in, start_bot

FEWER = -(-KILLS // 4)
NAMES = (("Ada", "Ben"), ("Cleo", "Dan"), ("Eve", "Fay"))
QUARTER = timedelta(minutes=15)


@pytest.mark.timeout(120 + 20 * FEWER)
async def test_two_people_killed_again_and_again(tmp_path: Path) -> None:
    print(f"AJAR_CRASH_KILLS={KILLS} AJAR_CRASH_SEED={SEED}")  # noqa: T201
    chance = random.Random(SEED)
    database = tmp_path / "ajar.db"
    async with stand_in() as telegram:
        post = telegram.world.calls = Post(telegram.world.calls)
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        couples = [await _couple(telegram, names, chance) for names in NAMES]
        everybody = [life for couple in couples for life in (couple.alice, couple.bob)]
        await settle(telegram, sqlite_url(database), everybody)
        await _name(database, couples)
        async with start_bot(telegram, tmp_path) as bot:
            killer = Killer(telegram, bot, database, chance, whenever=lambda: _whole(database))
            killing = asyncio.create_task(killer.run(FEWER))
            try:
                await asyncio.gather(*(couple.pairs() for couple in couples))
                while not killing.done():
                    await _day(telegram, couples)
            except BaseException:
                killing.cancel()
                raise
            await killing
            await _day(telegram, couples)
            telegram.advance(minutes=1)
            await telegram.until(lambda: not _open_notices(database), seconds=30)
            assert await bot.stop() == 0
            assert "incident" not in bot.output, bot.output[-3000:]
    ends = {about: end for couple in couples for about, end in couple.ends.items()}
    print(f"{killer.kills.total()} kills, {len(ends)} lines shared: {dict(killer.kills)}")  # noqa: T201
    _sound(database)
    _whole(database)
    _came(post, ends)
    _stands(database, couples, ends)


async def _couple(telegram: Telegram, names: tuple[str, str], chance: random.Random) -> Couple:
    alice, bob = [Life(await telegram.person(name), random.Random(chance.random())) for name in names]
    return Couple(alice, bob)


async def _name(database: Path, couples: list[Couple]) -> None:
    """Let each say what they are called here."""
    store = Store.at(sqlite_url(database), KeyRing.parse(TEST_KEY))
    async with store.writing() as rows:
        for couple in couples:
            for life in (couple.alice, couple.bob):
                await rows.users.set_name(life.person.id, life.person.name)
    await store.close()


async def _day(telegram: Telegram, couples: list[Couple]) -> None:
    telegram.move_to(next_morning(telegram) + timedelta(seconds=1))
    await asyncio.gather(*(couple.morning() for couple in couples))
    telegram.advance(QUARTER + timedelta(seconds=1))
    await asyncio.gather(*(couple.later() for couple in couples))
    telegram.advance(UNDO_FOR + timedelta(seconds=1))
    await asyncio.gather(*(couple.hears() for couple in couples))
    await telegram.confirmed(seconds=90)


def _ask(database: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        return connection.execute(query, values).fetchall()


def _whole(database: Path) -> None:
    """Never half a Pair, at whatever moment the bot is dead."""
    found = _ask(database, "SELECT id, a, b FROM pairs")
    assert sorted(_ask(database, "SELECT pair_id, user_id FROM pair_members")) == sorted(
        (pair_id, user_id) for pair_id, *two in found for user_id in two
    )


def _came(post: Post, ends: dict[int, End]) -> None:
    assert {int(about) for about in post.announced} == set(ends), "each is announced"
    assert set(post.announced.values()) <= {1, 2}, "at most twice"
    assert len(post.answered) == list(ends.values()).count(End.ANSWERED), "each Response arrives"
    assert set(post.answered.values()) <= {1, 2}, "at most twice"


def _stands(database: Path, couples: list[Couple], ends: dict[int, End]) -> None:
    """What the people have seen is true, and there is nothing else."""
    assert dict(_ask(database, "SELECT id, state FROM reflections")) == ends
    has_words = "SELECT id FROM reflections WHERE words IS NOT NULL"
    assert {about for (about,) in _ask(database, has_words)} == {
        about for about, end in ends.items() if end is not End.TAKEN_BACK
    }
    assert len(_ask(database, "SELECT id FROM responses WHERE sent_at IS NOT NULL")) == len(
        _ask(database, "SELECT id FROM responses")
    )
    partners = {(couple.alice.person.id, couple.bob.person.id) for couple in couples}
    assert set(_ask(database, "SELECT a, b FROM pairs")) == partners
    assert _ask(database, "SELECT * FROM endings") == []
