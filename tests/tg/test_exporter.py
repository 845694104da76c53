"""Making an export: how a long one tells how far it is, and that nothing is sent to somebody who has left meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.clock import HandClock
from bot.delivery.courier import Delivered
from bot.delivery.pacer import Pacer
from bot.domain.notices import Notice, NoticeKind
from bot.i18n import say_in
from bot.services.exporting import ExportFile, Exporting
from bot.storage.store import Store
from bot.tg.exporter import Exporter, _Progress
from bot.tg.screens import View
from bot.tg.sender import Sender
from tests.services.conftest import LIBRARY
from tests.standin import Person, Telegram
from tests.tg.test_sender import sending

NOW = datetime(2026, 11, 30, tzinfo=UTC)


async def wants_an_export(telegram: Telegram, store: Store) -> tuple[Person, Notice]:
    alice = await telegram.person("Alice")
    await alice.says("/start")
    async with store.writing() as rows:
        await rows.users.add(alice.id, "en", NOW)
        await rows.notices.add([(alice.id, NoticeKind.EXPORT, alice.id, NOW)], NOW)
    async with store.writing() as rows:
        (notice,) = await rows.notices.claim(NOW, 9, 1)
    return alice, notice


async def test_long_export_shows_progress_in_place() -> None:
    clock = HandClock(NOW)
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        await alice.says("/start")
        progress = _Progress(sender.send, sender, View(say_in("en"), NOW, LIBRARY), alice.id, clock)
        progress(100, 900)
        assert [seen for seen in alice.sees if seen.by_bot] == [], "that is done in a moment"
        said = []
        for done in (1000, 2000, 3000):
            progress(done, 9000)
            assert progress._telling
            await progress._telling
            said.append(alice.last.text)
            clock.advance(timedelta(seconds=1))
        await progress.end()
        assert said == ["1000 of 9000 read …", "1000 of 9000 read …", "3000 of 9000 read …"]
        assert [seen.text for seen in alice.sees if seen.by_bot] == ["That is all of it."]


async def test_reading_does_not_wait_for_telegram() -> None:
    """It happens in a transaction, which Telegram could keep open for minutes."""

    class Slow(Sender):
        async def send(self, *_: Any, **__: Any) -> int:
            sent.append(asyncio.current_task())
            await answers.wait()
            return 1

    sent: list[Any] = []
    answers, clock = asyncio.Event(), HandClock(NOW)
    async with sending() as (telegram, sender):
        alice = await telegram.person("Alice")
        sender.__class__ = Slow
        progress = _Progress(sender.send, sender, View(say_in("en"), NOW, LIBRARY), alice.id, clock)
        for done in (1000, 2000, 3000):
            progress(done, 9000)
            await asyncio.sleep(0)
            clock.advance(timedelta(seconds=9))
        assert len(sent) == 1, "the next is said once that has arrived"
        progress.stop()
        await asyncio.wait(sent)
        assert sent[0].cancelled()


async def test_erased_user_is_sent_nothing(store: Store) -> None:
    clock = HandClock(NOW)
    async with sending() as (telegram, sender):
        alice, notice = await wants_an_export(telegram, store)
        exporter = Exporter(store, clock, sender, Pacer(), LIBRARY)

        async with store.writing() as rows:
            await rows.users.erase(alice.id)
        assert await exporter.deliver(notice) is Delivered.NEEDLESS
        assert [seen for seen in alice.sees if seen.by_bot] == []


async def test_export_messages_can_be_hidden(store: Store) -> None:
    class Broken(Exporting):
        async def files(self, *_: Any, **__: Any) -> list[ExportFile]:
            raise ValueError("a defect")

    clock = HandClock(NOW)
    async with sending() as (telegram, sender):
        alice, notice = await wants_an_export(telegram, store)
        exporter = Exporter(store, clock, sender, Pacer(), LIBRARY)
        exporter._exporting = Broken()
        assert await exporter.deliver(notice) is Delivered.NEEDLESS
        (sorry,) = [seen for seen in alice.sees if seen.by_bot]
        async with store.writing() as rows:
            await rows.traces.hide_all(alice.id, NOW)
            assert [each.message_id for each in await rows.traces.due(alice.id, NOW)] == [sorry.message_id]
