"""Nothing is sent by a process whose claims others may have taken over, even if the call was already under way."""

import asyncio

import pytest

from bot.delivery.courier import NotSent
from bot.delivery.pacer import Pacer
from bot.fence import Fence
from bot.tg.client import Client
from bot.tg.network import Network
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from tests.standin import stand_in


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
