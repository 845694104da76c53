"""A restored backup brings back nothing that has ended; if the bot can't tell, it asks the sharer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.forks import ajar, run_beside
from tests.journeys.conftest import Make
from tests.journeys.house import House
from tests.journeys.test_privacy import erases
from tests.journeys.two import paired, shares
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
ANNOUNCED = "left you a line"
ASKED_AGAIN = "may have forgotten that you took this back"

Ends = Callable[[Person], Awaitable[None]]


async def types(house: House, *words: str) -> str:
    """Type a command as the service's user on the service's machine; return what it says."""
    said = await run_beside(partial(ajar, words), cwd=house.bot.data_dir, env=house.bot._env)
    assert said.returncode == 0, said.stderr
    return said.stdout + said.stderr


@asynccontextmanager
async def stopped(house: House) -> AsyncIterator[None]:
    """Do something while the bot is down."""
    assert await house.bot.stop() == 0
    yield
    await house.starts()


async def takes_back(alice: Person) -> None:
    await alice.taps("Take it back")
    await alice.hears("hasn't seen the words and won't")


async def unpairs(alice: Person) -> None:
    await alice.says("/unpair")
    await alice.taps("End it now")
    await alice.hears("Sharing has ended.")


async def deletes(alice: Person) -> None:
    await alice.taps("Delete")
    await alice.taps("Delete it")
    await alice.hears("Deleted. I no longer have it.")


async def test_restore_opens_no_ended_lines(house_of_its_own: Make) -> None:
    """Four pairs have each ended something after the backup in their own way, and one has not."""
    ways: list[Ends | None] = [takes_back, unpairs, erases, deletes, None]
    async with house_of_its_own() as house:
        pairs = [await paired(house, f"Alice{number}", f"Bob{number}") for number in range(len(ways))]
        for alice, _ in pairs:
            await shares(alice, WORDS)
        await types(house, "backup", "copy.db")
        for (alice, _), end in zip(pairs, ways, strict=True):
            if end:
                await end(alice)
        async with stopped(house):
            said = await types(house, "restore", "copy.db")
            assert "4 things that ended after this copy was made ended again" in said
            assert "WARNING" not in said
        for _, bob in pairs:
            bob._acts()
        house.telegram.advance(minutes=20)
        await pairs[-1][1].hears(ANNOUNCED)
        await house.caught_up()
        for (alice, bob), end in zip(pairs, ways, strict=True):
            await bob.says("/waiting")
            await bob.waits_for(lambda seen: seen.by_bot, what="an answer")
            assert any(ANNOUNCED in seen.text for seen in bob.sees) == (end is None)
            assert not any(WORDS in seen.text for seen in bob.sees)
            assert house.remembers(alice) == (end is not erases)
        assert "endings.gap" not in house.bot.output


@asynccontextmanager
async def asked_again(make: Make) -> AsyncIterator[tuple[House, Person, Person]]:
    """Two people after a restore without the journal: an announced Reflection had been taken back since."""
    async with make() as house:
        alice, bob = await paired(house)
        await shares(alice, WORDS)
        bob._acts()
        house.telegram.advance(minutes=15)
        await bob.hears(ANNOUNCED)
        await types(house, "backup", "copy.db")
        await takes_back(alice)
        bob._acts()
        async with stopped(house):
            (house.bot.data_dir / "endings" / "endings").unlink()
            said = await types(house, "restore", "copy.db")
            assert "WARNING" in said
            assert "it isn't there" in said
            assert "1 unopened line won't go out" in said
            alice._acts()
        asked = await alice.hears(ASKED_AGAIN)
        assert WORDS in asked.text
        house.telegram.advance(minutes=20)
        await bob.taps("Open")
        await bob.answered()
        assert not any(WORDS in seen.text for seen in bob.sees)
        yield house, alice, bob


async def test_yes_after_a_restore_sends_it(house_of_its_own: Make) -> None:
    async with asked_again(house_of_its_own) as (house, alice, bob):
        await alice.taps("Just listen")
        times = await alice.hears("First only this")
        await alice.taps(next(label for label in times.labels if label.startswith("In 15 minutes")))
        await alice.hears("Set for")
        bob._acts()
        house.telegram.advance(minutes=15)
        announced = await bob.hears(ANNOUNCED)
        await bob.taps("Open", announced)
        assert (await bob.hears("just listen")).spoilers()[-1:] == [WORDS]


async def test_no_after_a_restore_ends_it(house_of_its_own: Make) -> None:
    async with asked_again(house_of_its_own) as (house, alice, bob):
        await alice.taps("Keep it private")
        await alice.hears("stays with you")
        bob._acts()
        house.telegram.advance(days=1)
        await bob.says("/waiting")
        await bob.waits_for(lambda seen: seen.by_bot, what="an answer")
        assert not any(WORDS in seen.text for seen in bob.sees)
        assert house.stored("SELECT count(*) FROM reflections WHERE words IS NOT NULL") == [(0,)]
        await alice.says("/share")
        assert "Set for" not in (await alice.hears("Which one would you like to share?")).text
