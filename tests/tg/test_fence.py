"""A process whose claims others may have taken over sends nothing, not even what was under way, and claims nothing."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.delivery.courier import NotSent
from bot.delivery.pacer import Pacer
from bot.fence import Fence
from bot.presence import Role
from bot.storage.schema import notices
from bot.tg.client import Client
from bot.tg.network import Network
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from tests.databases import PostgresServer
from tests.histories import What, recorded
from tests.several import several
from tests.standin import Person, stand_in
from tests.tg.test_several import TEXTS, TOO_LONG, answered, crowd


async def test_closed_fence_sends_nothing() -> None:
    fence = Fence(until=0)
    async with stand_in() as telegram:
        network = Network(fence=fence)
        client = Client(telegram.token, telegram.url, network)
        await client.initialize()  # who we are is asked before
        alice = await telegram.person("Alice")
        await alice.says("/start")
        sender = Sender(client, Pacer())
        with pytest.raises(NotSent):
            await sender.send(alice.id, Screen("Closed."))
        fence.renew(float("inf"))
        await sender.send(alice.id, Screen("Open."))
        await telegram.fault("sendMessage", "slow", seconds=0.3)
        slow = asyncio.create_task(sender.send(alice.id, Screen("Still under way.")))
        await telegram.until(lambda: len(telegram.calls("sendMessage")) > 1)
        fence.close()
        with pytest.raises(NotSent):
            await sender.send(alice.id, Screen("Closed again."))
        await slow
        assert [seen.text for seen in alice.sees if seen.by_bot] == ["Open.", "Still under way."]
        await client.shutdown()


@pytest.mark.process
async def test_fenced_process_leaves_everything_to_others(postgres: PostgresServer, tmp_path: Path) -> None:
    """What it receives is written down, and it claims neither that nor what is due."""
    async with (
        postgres.emptied() as url,
        recorded(url) as history,
        stand_in() as telegram,
        several(telegram, url, tmp_path, Role.ALL, Role.ALL) as house,
    ):
        fenced, other = house.bots
        fenced.presence.fence._now = lambda: float("inf")
        people = await crowd(house)
        due = Person(telegram, telegram.world.person(first_name="P", language_code="en"))
        await house.settled(due, due=True)
        for number in range(TEXTS):
            for person in people:
                await fenced.inbox.take([house.says(person.id, "x" * (TOO_LONG + number))])
        await house.finish()
        await telegram.until(lambda: any(seen.by_bot for seen in due.sees), seconds=20)
        async with other.store.reading() as rows:
            owners = set(await rows._connection.scalars(select(notices.c.owner).where(notices.c.kind == "ask")))
        assert owners == {other.presence.owner}
        assert [answered(person) for person in people] == [list(range(TOO_LONG, TOO_LONG + TEXTS))] * len(people)
    assert {event.owner for event in history.events if event.owner} == {other.presence.owner}


@pytest.mark.process
async def test_answer_of_a_fenced_process_is_sent_by_another(postgres: PostgresServer, tmp_path: Path) -> None:
    """Its fence closes once it has the update."""
    async with (
        postgres.emptied() as url,
        recorded(url) as history,
        stand_in() as telegram,
        several(telegram, url, tmp_path, Role.ALL, Role.ALL) as house,
    ):
        fenced = house.bots[0]
        (person,) = await crowd(house, 1)
        async with fenced.inbox._turns:
            for _ in range(99):
                await fenced.inbox._turns.acquire()
            await fenced.inbox.take([house.says(person.id, "x" * TOO_LONG)])
            fenced.presence.fence._now = lambda: float("inf")
            for _ in range(99):
                fenced.inbox._turns.release()
        await house.finish()
        assert answered(person) == [TOO_LONG]
    claimed = [(event.what, event.owner) for event in history.events if event.what in (What.CLAIMED, What.TO_SAY)]
    assert claimed == [(What.CLAIMED, fenced.presence.owner), (What.TO_SAY, None)]
