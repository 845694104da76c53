"""Sending two messages that belong together, and the outcome."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from bot.delivery.courier import Blocked, RateLimited, Refused
from bot.delivery.pacer import Pacer
from bot.demo.faults import Fault
from bot.demo.files import plain_picture
from bot.pictures import Picture, Week
from bot.tg.client import Client
from bot.tg.network import Network
from bot.tg.screens import Screen
from bot.tg.sender import Attachment, Sender
from tests.standin import Telegram, stand_in


@contextlib.asynccontextmanager
async def sending(rate: float = 28) -> AsyncIterator[tuple[Telegram, Sender]]:
    async with stand_in() as telegram:
        client = Client(telegram.token, telegram.url, Network())
        await client.initialize()
        try:
            yield telegram, Sender(client, Pacer(rate=rate))
        finally:
            await client.shutdown()


async def test_first_message_is_sent_once() -> None:
    """Otherwise a chat that can be written to only every five seconds would see nothing but that, forever."""
    async with sending() as (telegram, sender):
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


@pytest.mark.parametrize(("rate", "said"), [(28, None), (30, None), (1000, True)])
async def test_only_a_higher_pace_may_cost(rate: float, said: bool | None) -> None:
    async with sending(rate) as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        await sender.send(alice.id, Screen("Where do you feel today?"))
        (sent,) = telegram.calls("sendMessage")
        assert sent["params"].get("allow_paid_broadcast") == said


async def test_message_that_may_not_be_charged_for_is_sent_for_nothing() -> None:
    async with sending(1000) as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        await telegram.fault("sendMessage", "400", description="Bad Request: BALANCE_TOO_LOW")
        assert await sender.send(alice.id, Screen("Where do you feel today?")) == alice.last.message_id
        refused, sent = telegram.calls("sendMessage")
        assert refused["params"].pop("allow_paid_broadcast")
        assert sent["params"] == refused["params"]
        await telegram.fault("sendMessage", "400", times=2, description="Bad Request: message is too long")
        with pytest.raises(Refused):
            await sender.send(alice.id, Screen("Where do you feel today?"))


async def test_moments_are_plain_words_for_an_older_server() -> None:
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        screen = Screen('The next one comes <tg-time unix="1805706000">at 20:30</tg-time>.')
        await sender.send(alice.id, screen)
        assert alice.last.marked("date_time") == ["at 20:30"]
        unknown = 'Bad Request: can\'t parse entities: Unsupported start tag "tg-time" at byte offset 19'
        telegram.world.faults.add(Fault("sendMessage", "400", description=unknown))
        for _ in "ab":
            await sender.send(alice.id, screen)
            assert (alice.last.text, alice.last.marked("date_time")) == ("The next one comes at 20:30.", [])


async def test_file_arrives_unchanged() -> None:
    content = bytes(range(256)) * 12 * 2**10
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        screen = Screen("<b>Yours.</b>", protected=True)
        sent = await sender.attach(alice.id, Attachment("document", "ajar-äöü.json", content), screen)
        assert sent == alice.last.message_id
        assert (alice.last.text, alice.last.marked("bold"), alice.last.protected) == ("Yours.", ["Yours."], True)
        document = alice.last.content["document"]
        assert (document["file_name"], document["file_size"]) == ("ajar-äöü.json", len(content))
        assert telegram.world.files[document["file_id"]].content == content

        await sender.attach(alice.id, Attachment("photo", "words.png", plain_picture()), Screen("Eight weeks."))
        assert (alice.last.text, "photo" in alice.last.content) == ("Eight weeks.", True)


async def test_refused_file_counts_as_refused_message() -> None:
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        with pytest.raises(Refused, match="too long"):
            await sender.attach(alice.id, Attachment("document", "a.txt", b"a"), Screen("x" * 1025))
        with pytest.raises(Refused, match="non-empty"):
            await sender.attach(alice.id, Attachment("document", "a.txt", b""), Screen(""))
        await alice.blocks()
        with pytest.raises(Blocked):
            await sender.attach(alice.id, Attachment("document", "a.txt", b"a"), Screen(""))


async def test_screen_has_its_picture_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it can't be drawn, the text comes alone: it says what the picture shows."""
    screen = Screen("Eight weeks.", picture=Picture((Week("5 Oct"),)), veiled=True, silent=True)
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        await sender.send(alice.id, screen)
        assert (alice.last.text, alice.last.content["has_media_spoiler"]) == ("Eight weeks.", True)
        assert "photo" in alice.last.content
        monkeypatch.setattr("sys.executable", "/bin/false")
        await sender.send(alice.id, screen)
        assert (alice.last.text, "photo" in alice.last.content) == ("Eight weeks.", False)
