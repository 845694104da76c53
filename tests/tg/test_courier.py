"""A Notice that is due in a pause or in quiet hours waits for their end, and one that was taken over isn't sent."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import update

from bot.clock import HandClock
from bot.delivery.courier import Delivered
from bot.delivery.pacer import Pacer
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.domain.results.answering import QuestionLeft
from bot.services.arrivals import TakingIn
from bot.storage.schema import notices
from bot.storage.store import Store
from bot.tg.answers import Answers
from bot.tg.courier import TelegramCourier
from bot.tg.exporter import Exporter
from bot.tg.rendering import Renderer
from bot.tg.screens import Screen
from bot.tg.sender import Sender
from tests.storage.people import ready

ALICE = 1001
NIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
FACTS: dict[str, dict[str, Any]] = {
    "quiet hours": {"quiet_from": time(22), "quiet_to": time(7)},
    "a pause": {"quiet_from": None, "quiet_to": None, "paused_at": NIGHT, "next_ask_at": NIGHT + timedelta(days=3)},
}


class Nobody:
    """In the place of what delivers answers and exports."""

    async def deliver(self, _notice: Notice) -> Delivered:
        raise AssertionError("this is neither")


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind.policy.can_wait and kind != "unknown"])
async def test_notices_wait_out_quiet_hours(store: Store, kind: NoticeKind, facts: dict[str, Any]) -> None:
    async def speak(*_: object) -> None:
        raise AssertionError("nothing may be said now")

    clock = HandClock(NIGHT)
    async with store.writing() as rows:
        await rows.users.change(await rows.users.add(ALICE, "en", NIGHT), zone="UTC", ask_at=time(8), **facts)
        await rows.notices.add([(ALICE, kind, 7, NIGHT)], NIGHT)
    async with store.writing() as rows:
        (notice,) = await rows.notices.claim(NIGHT, 10, 1)
    courier = TelegramCourier(
        store,
        clock,
        cast("Renderer", None),
        cast("Sender", None),
        Pacer(),
        cast("Answers", Nobody()),
        {kind: speak},
        cast("Exporter", Nobody()),
        cast("TakingIn", None),
    )
    assert await courier.deliver(notice) is Delivered.PUT_OFF
    async with store.reading() as rows:
        due = await rows.earliest_due()
    assert due is not None
    assert due > NIGHT


class Phone:
    """In the place of what makes screens and sends them."""

    def __init__(self) -> None:
        self.rang: list[int] = []

    async def words(self, *_: object) -> dict[str, str]:
        return {}

    def screen(self, *_: object) -> Screen:
        return Screen("Where do you feel today?")

    async def send(self, user_id: int, _screen: Screen) -> int:
        self.rang.append(user_id)
        return 7


async def test_message_waits_for_room_after_its_transaction(store: Store) -> None:
    """Not before it: a slow disk would let several leave together that had their turns one after the other."""
    done: list[str] = []

    class Room(Pacer):
        async def wait_room(self) -> None:
            async with store.writing() as rows:  # SQLite's only writer is free, so the transaction is over
                done.append("room" if await rows.users.find(ALICE) else "nobody")

    class Sends(Phone):
        async def send(self, user_id: int, screen: Screen) -> int:
            done.append("sent")
            return await super().send(user_id, screen)

    async with store.writing() as rows:
        await ready(rows, ALICE, NIGHT)
        await rows.notices.add([(ALICE, NoticeKind.ASK, 7, NIGHT)], NIGHT)
        (notice,) = await rows.notices.claim(NIGHT, 10, 1)

    async def asks(*_: object) -> Result:
        return QuestionLeft()

    phone, nobody = cast("Any", Sends()), cast("Any", Nobody())
    courier = TelegramCourier(
        store, HandClock(NIGHT), phone, phone, Room(), nobody, {NoticeKind.ASK: asks}, nobody, nobody
    )
    async with asyncio.timeout(10):
        await courier.deliver(notice)
    assert done == ["room", "sent"]


async def test_question_that_was_taken_over_is_not_sent(store: Store) -> None:
    """Those that are decided about together with it are."""
    people = range(ALICE, ALICE + 3)
    taken_over = people[1]
    async with store.writing() as rows:
        for user_id in people:
            await ready(rows, user_id, NIGHT)
        await rows.notices.add([(user_id, NoticeKind.ASK, user_id, NIGHT) for user_id in people], NIGHT)
        claimed = {notice.user_id: notice for notice in await rows.notices.claim(NIGHT, 10, owner=1)}
        lost = claimed[taken_over].id
        await rows._connection.execute(update(notices).where(notices.c.id == lost).values(owner=2))
    phone = cast("Any", Phone())

    async def asks(*_: object) -> Result:
        return QuestionLeft()

    handlers = {NoticeKind.ASK: asks}
    nobody = cast("Any", Nobody())
    courier = TelegramCourier(store, HandClock(NIGHT), phone, phone, Pacer(), nobody, handlers, nobody, nobody)
    outcomes = await asyncio.gather(*(courier.deliver(claimed[user_id]) for user_id in people))
    assert phone.rang == [people[0], people[2]]
    assert outcomes[1] is Delivered.NEEDLESS
