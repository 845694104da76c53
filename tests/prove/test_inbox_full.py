"""The way in and out under stress: Telegram away for ten minutes with 2,000 texts waiting.

It prints what it counted. A shorter outage is in tests/journeys/test_late_answers.py.
"""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from bot.places import FILE_NAME
from tests.bench.crowd import FIRST_PERSON
from tests.bench.seeds import seed
from tests.databases import SqliteTemplate, sqlite_url
from tests.journeys.house import House, open_house
from tests.standin import Person

MINUTE = timedelta(minutes=1)
PEOPLE, TEXTS = 200, 10
KILLS = (2, 5, 8)
"""After which texts of each person the bot is killed."""
TOO_LONG = 301
"""The answer to a text that is too long names its length, so it shows which text it answers."""
AT_ONCE = 64
COPIES = 3

_NAMED = re.compile(r"That's (\d+) characters")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("mode", "method"), [("polling", "*"), ("polling", "sendMessage"), ("webhook", "sendMessage")])
async def test_ten_minute_outage_loses_no_answer(
    tmp_path: Path, places_folder: Path, sqlite_template: SqliteTemplate, mode: str, method: str
) -> None:
    """Nothing works, or texts arrive and nothing can be sent; then the bot is also killed three times."""
    async with open_house(tmp_path / "bot", places_folder / FILE_NAME, sqlite_template, mode) as house:
        crowd = await _settled(house)
        house.expects("telegram.request", "WARNING")  # it logs that a 502 can't be read
        await house.telegram.fault(method, "502", times=-1)
        for number in range(TEXTS):
            for person in crowd:
                await person.says("x" * (TOO_LONG + number))
            house.telegram.advance(MINUTE)
            if method != "*" and number in KILLS:
                await house.bot.kill()
                await house.bot.start()
        await house.telegram.no_faults()
        wanted = list(range(TOO_LONG, TOO_LONG + TEXTS))
        waiting = {person.id: person for person in crowd}
        deadline = asyncio.get_running_loop().time() + 300
        while waiting and asyncio.get_running_loop().time() < deadline:
            house.telegram.advance(MINUTE)
            await asyncio.sleep(1)
            waiting = {id_: person for id_, person in waiting.items() if set(_answered(person)) != set(wanted)}
        copies = Counter(copy for person in crowd for copy in Counter(_answered(person)).values())
        print(f"{mode}, {method}: {PEOPLE * TEXTS} texts; answers by how often they came: {dict(copies)}")  # noqa: T201
        assert not waiting, f"{len(waiting)} people miss an answer: {_answered(next(iter(waiting.values())))}"
        assert max(copies) <= COPIES
        for person in crowd:
            assert list(dict.fromkeys(_answered(person))) == wanted, "each chat reads in its order"


async def _settled(house: House) -> list[Person]:
    """Return people who are there already, each with an open question."""
    await house.bot.stop()
    now = house.telegram.now
    await seed(sqlite_url(house.bot.data_dir / "ajar.db"), first=FIRST_PERSON, count=PEOPLE, now=now, asked=True)
    world = house.telegram.world
    crowd = [
        Person(house.telegram, world.person(FIRST_PERSON + n, first_name="P", language_code="en"))
        for n in range(PEOPLE)
    ]
    for person in crowd:
        world.person(person.id).started = True
    await house.bot.start()
    return crowd


def _answered(person: Person) -> list[int]:
    """Return the lengths that the bot's answers name, in the order in which they came."""
    return [int(found[1]) for seen in person.sees if seen.by_bot and (found := _NAMED.search(seen.text))]
