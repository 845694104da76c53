"""The bot is killed again and again while people pair, share, receive and part, and nobody notices more than a delay.

`make crash` kills often; here it is a few times. AJAR_CRASH_KILLS and AJAR_CRASH_SEED are as in test_crash.
"""

import asyncio
import random
from datetime import timedelta

import pytest

from bot.crypto import KeyRing
from bot.domain.sharing import UNDO_FOR
from bot.storage.store import Store
from tests.crash.couple import Couple, End, Post
from tests.crash.killer import Killer
from tests.crash.life import Life, next_morning, settle
from tests.crash.reader import OPEN, UNDER_WAY, Reader
from tests.crash.site import Site
from tests.crash.test_crash import KILLS, SEED
from tests.standin import TEST_KEY, Telegram, stand_in

FEWER = -(-KILLS // 4)
NAMES = (("Ada", "Ben"), ("Cleo", "Dan"), ("Eve", "Fay"))
QUARTER = timedelta(minutes=15)


@pytest.mark.timeout(120 + 30 * FEWER)
async def test_two_people_killed_again_and_again(site: Site) -> None:
    print(f"AJAR_CRASH_KILLS={KILLS} AJAR_CRASH_SEED={SEED}")  # noqa: T201
    chance, reader = random.Random(SEED), site.reader
    async with stand_in() as telegram:
        post = telegram.world.calls = Post(telegram.world.calls)
        telegram.advance(next_morning(telegram) - timedelta(minutes=30) - telegram.now)
        couples = [await _couple(telegram, names, chance) for names in NAMES]
        everybody = [life for couple in couples for life in (couple.alice, couple.bob)]
        await settle(telegram, reader.url, everybody)
        await _name(reader.url, couples)
        async with site.running(telegram) as bots:
            killer = Killer(telegram, bots, reader, chance, whenever=lambda: _whole(reader))
            killing = asyncio.create_task(killer.run(FEWER))
            try:
                await asyncio.gather(*(couple.pairs() for couple in couples))
                while not killing.done():
                    await _day(telegram, reader, couples)
            except BaseException:
                killing.cancel()
                raise
            await killing
            await _day(telegram, reader, couples)
            telegram.advance(minutes=1)
            await reader.finds_nothing(OPEN, seconds=30)
    ends = {about: end for couple in couples for about, end in couple.ends.items()}
    print(f"{killer.kills.total()} kills, {len(ends)} lines shared: {dict(killer.kills)}")  # noqa: T201
    await reader.is_sound()
    await _whole(reader)
    _came(post, ends)
    await _stands(reader, couples, ends)


async def _couple(telegram: Telegram, names: tuple[str, str], chance: random.Random) -> Couple:
    alice, bob = [Life(await telegram.person(name), random.Random(chance.random())) for name in names]
    return Couple(alice, bob)


async def _name(url: str, couples: list[Couple]) -> None:
    """Let each say what they are called here."""
    store = Store.at(url, KeyRing.parse(TEST_KEY))
    async with store.writing() as rows:
        for couple in couples:
            for life in (couple.alice, couple.bob):
                await rows.users.set_name(life.person.id, life.person.name)
    await store.close()


async def _day(telegram: Telegram, reader: Reader, couples: list[Couple]) -> None:
    """Live a day, with pauses in which the clock moves on; what is claimed then would count as left by a dead bot."""
    telegram.move_to(next_morning(telegram) + timedelta(seconds=1))
    await asyncio.gather(*(couple.morning() for couple in couples))
    await reader.finds_nothing(UNDER_WAY, seconds=90)
    telegram.advance(QUARTER + timedelta(seconds=1))
    await asyncio.gather(*(couple.later() for couple in couples))
    await reader.finds_nothing(UNDER_WAY, seconds=90)
    telegram.advance(UNDO_FOR + timedelta(seconds=1))
    await asyncio.gather(*(couple.hears() for couple in couples))
    await telegram.confirmed(seconds=90)
    await reader.finds_nothing(UNDER_WAY, seconds=90)


async def _whole(reader: Reader) -> None:
    """Never half a Pair, at whatever moment a process is dead."""
    half = """
        SELECT id FROM pairs WHERE (SELECT count(*) FROM pair_members WHERE pair_id = id AND user_id IN (a, b)) <> 2
        UNION ALL SELECT pair_id FROM pair_members GROUP BY pair_id HAVING count(*) <> 2
        UNION ALL SELECT pair_id FROM pair_members WHERE pair_id NOT IN (SELECT id FROM pairs)
    """
    assert await reader.ask(half) == []


def _came(post: Post, ends: dict[int, End]) -> None:
    assert {int(about) for about in post.announced} == set(ends), "each is announced"
    assert set(post.announced.values()) <= {1, 2}, "at most twice"
    assert len(post.answered) == list(ends.values()).count(End.ANSWERED), "each Response arrives"
    assert set(post.answered.values()) <= {1, 2}, "at most twice"


async def _stands(reader: Reader, couples: list[Couple], ends: dict[int, End]) -> None:
    """What the people have seen is true, and there is nothing else."""
    assert dict(await reader.ask("SELECT id, state FROM reflections")) == ends
    has_words = await reader.ask("SELECT id FROM reflections WHERE words IS NOT NULL")
    assert {about for (about,) in has_words} == {about for about, end in ends.items() if end is not End.TAKEN_BACK}
    assert await reader.ask("SELECT id FROM responses WHERE sent_at IS NULL") == []
    partners = {(couple.alice.person.id, couple.bob.person.id) for couple in couples}
    assert set(await reader.ask("SELECT a, b FROM pairs")) == partners
    assert await reader.ask("SELECT * FROM endings") == []
