"""What the bot reports in the operator's chat, and what it doesn't, with a real server in Telegram's place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from bot.clock import HandClock
from bot.delivery.pacer import Pacer
from bot.health import Health
from bot.logs import incident
from bot.metrics import ASKS_SENT, ENOUGH_PEOPLE, INCIDENTS
from bot.storage.store import Store
from bot.tg import operator_chat as module
from bot.tg.client import Client
from bot.tg.network import Network
from bot.tg.operator_chat import WEEK, Folders, OperatorChat
from bot.tg.sender import Sender
from tests.standin import Person, Telegram, stand_in

log = structlog.stdlib.get_logger("bot.tests")


class Office:
    """An operator, and what tells them."""

    def __init__(self, telegram: Telegram, robin: Person, chat: OperatorChat, health: Health) -> None:
        self.telegram = telegram
        self.robin = robin
        self.chat = chat
        self.health = health

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Person]:
        running = asyncio.create_task(self.chat.run())
        yield self.robin
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})


@pytest.fixture
async def office(
    store: Store, clock: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    for wait in ("GATHERED_FOR", "SENT_APART", "LOOK_EVERY"):
        monkeypatch.setattr(module, wait, 0.01)
    async with stand_in() as telegram:
        client = Client(telegram.token, telegram.url, Network())
        await client.initialize()
        robin = await telegram.person("Robin")
        await robin.says("/start")
        health, pacer = Health(), Pacer()
        folders = Folders(tmp_path, tmp_path / "backups")
        sender = Sender(client, pacer)
        yield Office(telegram, robin, OperatorChat(robin.id, store, clock, sender, pacer, health, folders), health)
        await client.shutdown()


async def test_incidents_are_reported_together(office: Office) -> None:
    async with office.open() as robin:
        await asyncio.sleep(0)
        codes = [incident(log, ValueError("The dog waited.")) for _ in range(12)]
        told = await robin.hears("12 incidents")
        assert told.text == f"12 incidents: {', '.join(codes[:10])}. The log says where. 2 more are only there."


async def test_operator_is_told_in_their_language(office: Office, store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await rows.users.add(office.robin.id, "de", clock.now())
    office.chat.tell_upgraded("0032")
    async with office.open() as robin:
        await robin.hears("hat die Datenbank von 0032 auf")


async def test_report_waits_while_telegram_is_away(office: Office) -> None:
    await office.telegram.fault("sendMessage", "502", times=2)
    office.chat.tell_upgraded("0032")
    async with office.open() as robin:
        await robin.hears("It has brought the database from 0032")


async def test_telegrams_silence_is_reported(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office.open() as robin:
        monkeypatch.setattr(Health, "silence", 301.0)
        await robin.hears("Nothing could be fetched from Telegram since ")
        monkeypatch.setattr(Health, "silence", 3.0)
        await robin.hears("Telegram is heard again since ")
    told = [seen for seen in robin.sees if seen.by_bot]
    assert len(told) == 2, "each of it once"


async def test_weekly_numbers_are_rounded(office: Office, store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        for user_id in range(1, 124):
            await rows.users.add(user_id, "en", clock.now())
    await office.chat.sum_up()
    ASKS_SENT.inc(by=647)
    INCIDENTS.inc()
    await office.chat.sum_up()
    assert office.chat._waiting.empty(), "it isn't over"
    clock.advance(WEEK)
    ASKS_SENT.inc(by=3)
    await office.chat.sum_up()
    async with office.open() as robin:
        told = await robin.hears("The week: about 120 people, 650 questions asked, 0 messages sent. 1 incident.")
        assert "123" not in told.text
    await office.chat.sum_up()
    assert office.chat._waiting.empty(), "a new one has begun"


async def test_small_bots_get_no_weekly_numbers(office: Office, store: Store, clock: HandClock) -> None:
    """With two people, the operator may be one of them."""
    async with store.writing() as rows:
        for user_id in range(1, ENOUGH_PEOPLE):
            await rows.users.add(user_id, "en", clock.now())
    await office.chat.sum_up()
    clock.advance(WEEK + timedelta(hours=1))
    await office.chat.sum_up()
    assert office.chat._waiting.empty()
