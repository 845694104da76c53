"""A restored backup brings back nothing that has ended; if the bot can't tell, it asks the sharer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.forks import ajar, run_beside
from tests.journeys.conftest import Make
from tests.journeys.house import AGREE, House, until
from tests.journeys.late import fault_for, fetched, later
from tests.journeys.test_export import content, exports
from tests.journeys.test_privacy import erases
from tests.journeys.two import paired, shares
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "I sat in the car for ten minutes before I could come in."
UNANSWERED = "The kettle was on and nobody came."
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
            assert "Ended again: 4 things that ended after this copy was made" in said
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


async def test_erase_in_the_middle_of_an_answer_stays_after_a_restore(house_of_its_own: Make) -> None:
    """Also where the erased person has come back, with an export of what they erased.

    Each restore is followed by an ending that only the journal knows: the backup has the lines, their answers and the
    export that waits.
    """
    async with house_of_its_own() as house:
        alice, bob = await paired(house)
        await shares(alice, WORDS)
        _, data = await exports(alice)
        file = content(house, data)
        await alice.says("/erase")
        asked = await alice.hears("This removes everything")
        ((erase,), _) = asked.markup["inline_keyboard"]
        await fault_for(house, alice, "502")
        since = len(house.telegram.calls("getUpdates"))
        await alice.says(UNANSWERED)
        await fetched(house, UNANSWERED, since)
        await until(lambda: later(house, alice), "an answer that can't be sent waits")
        await types(house, "backup", "copy.db")
        await alice.taps_data(asked, erase["callback_data"])
        await house.telegram.no_faults()
        await house.forgets(alice)
        async with stopped(house):
            assert "Ended again: 1 thing that ended after this copy" in await types(house, "restore", "copy.db")
            assert await nothing_is_left(house, alice, bob)

        (house.bot.data_dir / "file.json").write_bytes(file)
        await types(house, "import", "file.json")
        await types(house, "backup", "waiting.db")
        await alice.says("/start")
        await alice.taps(AGREE)
        await alice.taps("Take it in", await alice.hears("Your export from another Ajar"))
        await alice.hears("It is all here.")
        assert WORDS in await house.lines(alice)
        await types(house, "backup", "taken-in.db")
        await erases(alice)
        await house.forgets(alice)
        async with stopped(house):
            for copy in ("taken-in.db", "waiting.db", "copy.db"):
                assert "Ended again" in await types(house, "restore", copy)
                assert await nothing_is_left(house, alice, bob)


async def nothing_is_left(house: House, erased: Person, partner: Person) -> bool:
    """Return whether no row is of the erased person, and nothing of theirs waits for their partner."""
    waiting = house.stored(
        "SELECT 1 FROM notices WHERE user_id = ? AND state = 'waiting' AND kind = 'reflection'", partner.id
    )
    unopened = house.stored("SELECT 1 FROM reflections WHERE words IS NOT NULL")
    return not (house.remembers(erased) or waiting or unopened or await house.lines(erased))
