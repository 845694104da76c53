"""One user's updates that land on several bots, as behind a load balancer: answered once each, and in their order."""

import asyncio
import random
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.presence import Role
from bot.tg.turn import Handling, UpdateProcessor
from bot.tg.updates import Update
from tests.databases import PostgresServer
from tests.histories import faults, recorded
from tests.several import Several, several
from tests.standin import Person, stand_in

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

_NAMED = re.compile(r"That's (\d+) characters")
ALL, WEB, WORKER = Role.ALL, Role.WEB, Role.WORKER


@pytest_asyncio.fixture(
    loop_scope="module",
    scope="module",
    params=[(ALL, ALL, ALL), (WEB, WEB, WORKER, WORKER)],
    ids=["all", "web and workers"],
)
async def bots(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Several]:
    async with (
        postgres.emptied() as url,
        recorded(url) as history,
        stand_in() as telegram,
        several(telegram, url, tmp_path_factory.mktemp("several"), *request.param) as house,
    ):
        yield house
    assert not (wrong := faults(history.events, in_order=False)), wrong


TOO_LONG = 301
"""The answer to a text that is too long names its length, so it shows which text it answers."""
PEOPLE, TEXTS = 6, 4


async def crowd(bots: Several, count: int = PEOPLE) -> list[Person]:
    people = [
        Person(bots.telegram, bots.telegram.world.person(first_name="P", language_code="en")) for _ in range(count)
    ]
    await bots.settled(*people)
    return people


def answered(person: Person) -> list[int]:
    """Return the lengths that the answers name, in the order in which they came."""
    return [int(found[1]) for seen in person.sees if seen.by_bot and (found := _NAMED.search(seen.text))]


async def test_shared_update_is_answered_once(bots: Several) -> None:
    people = await crowd(bots)

    async def twice(person: Person) -> None:
        raw = bots.says(person.id, "x" * TOO_LONG)
        await asyncio.gather(*(bot.inbox.take([raw]) for bot in bots.bots if bot.presence.role.receives))

    await asyncio.gather(*map(twice, people))
    await bots.finish()
    assert [answered(person) for person in people] == [[TOO_LONG]] * len(people)


async def test_chat_keeps_its_order_across_bots(bots: Several) -> None:
    """Each next update arrives somewhere else, as soon as the one before was written down."""
    people = await crowd(bots)
    receivers = [bot for bot in bots.bots if bot.presence.role.receives]

    async def talk(person: Person, chance: random.Random) -> None:
        for number in range(TEXTS):
            raw = bots.says(person.id, "x" * (TOO_LONG + number))
            await chance.choice(receivers).inbox.take([raw])

    await asyncio.gather(*(talk(person, random.Random(person.id)) for person in people))
    await bots.finish()
    assert [answered(person) for person in people] == [list(range(TOO_LONG, TOO_LONG + TEXTS))] * len(people)


async def test_simultaneous_updates_are_answered_once(bots: Several) -> None:
    people = await crowd(bots)
    receivers = [bot for bot in bots.bots if bot.presence.role.receives]
    raws = [bots.says(person.id, "x" * (TOO_LONG + number)) for number in range(TEXTS) for person in people]
    chance = random.Random(7)
    await asyncio.gather(*(chance.choice(receivers).inbox.take([raw]) for raw in raws))
    await bots.finish()
    assert [sorted(answered(person)) for person in people] == [list(range(TOO_LONG, TOO_LONG + TEXTS))] * len(people)


async def test_surplus_updates_go_to_others(bots: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    """By polling, only one process fetches updates. A busy one, which has its share, leaves the rest to others."""
    monkeypatch.setattr("bot.tg.inbox._SHARE", 5)
    people = await crowd(bots, 40)
    busy: set[UpdateProcessor] = set()
    shared = asyncio.Event()
    process = UpdateProcessor.process

    async def stay_busy(self: UpdateProcessor, update: Update, handling: Handling, arrived: float | None) -> None:
        """Finish nothing until a second process has begun, however fast the first one is."""
        busy.add(self)
        if len(busy) > 1:
            shared.set()
        await shared.wait()
        await process(self, update, handling, arrived)

    monkeypatch.setattr(UpdateProcessor, "process", stay_busy)
    for some in zip(*[iter(people)] * 5, strict=True):
        await bots.bots[0].inbox.take([bots.says(person.id, "x" * TOO_LONG) for person in some])
    await bots.finish()
    assert [answered(person) for person in people] == [[TOO_LONG]] * len(people)


async def test_nobody_waits_for_the_next_look(bots: Several) -> None:
    """What one writes down and another one has to handle is handled at once."""
    (person,) = await crowd(bots, 1)
    began = asyncio.get_running_loop().time()
    for number in range(10):
        await bots.bots[number % 2].inbox.take([bots.says(person.id, "x" * (TOO_LONG + number))])
    await bots.finish()
    assert answered(person) == list(range(TOO_LONG, TOO_LONG + 10))
    assert asyncio.get_running_loop().time() - began < 10
