"""Sending two messages that belong together, and the outcome."""

import pytest

from bot.delivery.courier import RateLimited
from bot.delivery.pacer import Pacer
from bot.demo.faults import Fault
from bot.tg.client import make_client
from bot.tg.network import Network
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from tests.standin import stand_in


async def test_first_of_two_messages_is_sent_once() -> None:
    """Otherwise a chat that can be written to only every five seconds would see nothing but that, forever."""
    async with stand_in() as telegram:
        client = make_client(telegram.token, telegram.url, Network())
        await client.initialize()
        sender = Sender(client, Pacer())
        alice = await telegram.person("Alice")
        await alice.says("/start")

        def refuse_the_next() -> None:
            if alice.sees[-1].by_bot:
                telegram.world.hub.watchers.remove(refuse_the_next)
                telegram.world.faults.add(Fault("sendMessage", "429", chat_id=alice.id))

        telegram.world.hub.watchers.append(refuse_the_next)
        screen = Screen("Want to try one now?", first="That's all I need.")
        with pytest.raises(RateLimited):
            await sender.send(alice.id, screen)
        assert await sender.send(alice.id, screen) == alice.last.message_id
        told = [seen.text for seen in alice.sees if seen.by_bot]
        assert told == ["That's all I need.", "Want to try one now?"]
        await sender.send(alice.id, screen)
        assert [seen.text for seen in alice.sees if seen.by_bot] == told * 2, "the next time it comes again"
        await client.shutdown()
