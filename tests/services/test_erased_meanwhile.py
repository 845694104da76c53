"""Somebody erases everything at any moment of a delivery: whatever was on its way, no row of theirs is left."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from bot.clock import HandClock
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.results import Asked, Result
from bot.domain.results.receiving import Announced, Opened
from bot.domain.undecided import Undecided, Waits
from bot.services.announcing import Announcing
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.services.visit import NoticeHandlers
from bot.storage.schema import metadata
from bot.storage.store import Rows, Store
from bot.tg.courier import TelegramCourier
from bot.tg.screens import Screen
from bot.tg.screens.screen import AskCard
from tests.services.conftest import House, make_library
from tests.services.test_sharing import ALICE, BOB, QUARTER, make_home


class Phone:
    """Where messages arrive: stands for Telegram and for the screens."""

    def __init__(self) -> None:
        self.came: list[Result] = []
        self.changed: list[int] = []
        self.removed: list[int] = []
        self.before_sending: Any = None

    async def deliver(self, _: object) -> Any:
        raise AssertionError("there are no answers and no exports here")

    async def words(self, *_: object) -> dict[str, str]:
        return {}

    def screen(self, result: Result, _user: User, _language: str, _now: datetime, _words: object) -> Screen:
        self.came.append(result)
        return Screen("it", card=AskCard(result.ask_id, result.prompt_id) if isinstance(result, Asked) else None)

    async def send(self, _user_id: int, _screen: Screen) -> int:
        await self.before_sending()
        return len(self.came)

    async def edit(self, _user_id: int, message_id: int, _screen: Screen) -> bool:
        await self.before_sending()
        self.changed.append(message_id)
        return True

    async def delete(self, _user_id: int, message_ids: list[int]) -> None:
        await self.before_sending()
        self.removed += message_ids


async def test_erase_during_delivery_leaves_nothing(house: House) -> None:
    async def begins() -> None:
        house.clock.set((await house.arrives(ALICE)).next_ask_at or house.clock.now())

    phone = await _erased_at_every_moment(house.store, house.clock, ALICE, begins, house.asks.notice_handlers)
    assert phone.came, "nobody has erased anything, so the question has come"


async def test_erase_while_messages_are_removed_leaves_nothing(house: House) -> None:
    async def begins() -> None:
        await house.arrives(ALICE)
        now = house.clock.now()
        async with house.store.writing(ALICE) as rows:
            for message_id in (7, 8):
                await rows.traces.note(ALICE, message_id, now, hide_at=now)
            await rows.traces.asks(ALICE, 8, Undecided(Waits.FOLLOW_UP, 1))
            await rows.notices.hide(ALICE, now, now)

    phone = await _erased_at_every_moment(house.store, house.clock, ALICE, begins, {})
    assert (phone.changed, phone.removed) == ([8], [7])


@pytest.mark.parametrize("who", [ALICE, BOB])
async def test_erase_during_an_announcement_leaves_nothing(store: Store, clock: HandClock, who: int) -> None:
    """Nothing opens any more of what a sharer erased while its receiver was told of it."""
    shared: list[int] = []

    async def begins() -> None:
        await _forget(store, ALICE, BOB)
        home = await make_home(store, clock)
        shared.append(await home.shares())
        clock.advance(QUARTER)

    async def is_closed() -> None:
        if who == ALICE:
            assert not isinstance(await home.opens(shared[-1]), Opened)

    home = await make_home(store, clock)
    handlers = Announcing().notice_handlers
    phone = await _erased_at_every_moment(store, clock, who, begins, handlers, is_closed)
    assert [type(each) for each in phone.came] == [Announced]
    assert isinstance(await home.opens(shared[-1]), Opened)


async def _forget(store: Store, *people: int) -> None:
    async with store.writing() as rows:
        for user_id in people:
            await rows.users.erase(user_id)


async def _nothing_more() -> None:
    pass


async def _erased_at_every_moment(
    store: Store,
    clock: HandClock,
    who: int,
    begins: Callable[[], Awaitable[None]],
    handlers: NoticeHandlers,
    afterwards: Callable[[], Awaitable[None]] = _nothing_more,
) -> Phone:
    """Deliver what is due after `begins`, while `who` erases everything, at each moment of it in turn.

    Return where it arrives when nobody does so.
    """
    moment = 0
    while True:
        moment += 1
        await begins()
        phone = Phone()
        reached = 0

        async def passes(of: int = moment) -> None:
            nonlocal reached
            reached += 1
            if reached == of:
                async with Store.writing(store) as rows:
                    await rows.users.erase(who)

        class Erasing(Store):
            @asynccontextmanager
            async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[Rows]:
                await passes()  # it is used within this turn of the loop
                async with super().writing(*user_ids, wait=wait) as rows:
                    yield rows

        phone.before_sending = passes
        store.__class__ = Erasing
        try:
            await _work(store, clock, phone, handlers)
        finally:
            store.__class__ = Store
        if reached < moment:
            assert moment > 4, "there was hardly a moment to erase anything"
            return phone
        left = await _rows_of(store, who)
        assert not any(left.values()), (moment, left)
        await afterwards()


async def _rows_of(store: Store, user_id: int) -> dict[str, int]:
    """Return how many rows of this user each table has."""
    left = {}
    async with store.reading() as rows:
        for table in metadata.sorted_tables:
            column = table.c.id if table.name == "users" else table.c.get("user_id")
            if column is not None:
                query = select(func.count()).select_from(table).where(column == user_id)
                left[table.name] = (await rows._connection.execute(query)).scalar_one()
    return left


async def _work(store: Store, clock: HandClock, phone: Phone, handlers: NoticeHandlers) -> None:
    anything = cast("Any", phone)
    pacer = Pacer(rate=1e9)
    courier = TelegramCourier(store, clock, anything, anything, pacer, anything, handlers, anything, anything)
    outbox = Outbox(store, clock, courier, pacer, Asks(make_library()), Profile(), owner=1)
    await outbox.work()
    await outbox.finish()
