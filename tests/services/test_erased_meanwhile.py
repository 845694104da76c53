"""Somebody erases everything at any moment of a delivery: whatever was on its way, no row of theirs is left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select

from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.model import User
from bot.domain.results import Asked, Result
from bot.storage.schema import metadata
from bot.storage.store import Rows, Store
from bot.tg.courier import TelegramCourier
from bot.tg.screens import Screen
from bot.tg.screens.screen import AskCard
from tests.services.conftest import ALICE, House


class Phone:
    """Where messages arrive: stands for Telegram and for the screens."""

    def __init__(self) -> None:
        self.came: list[Result] = []
        self.before_sending: Any = None

    async def deliver(self, _: object) -> Any:
        raise AssertionError("there are no answers and no exports here")

    async def words(self, *_: object) -> dict[str, str]:
        return {}

    def screen(self, result: Result, _user: User, _language: str, _now: datetime, _words: object) -> Screen:
        assert isinstance(result, Asked)
        self.came.append(result)
        return Screen("a question", card=AskCard(result.ask_id, result.prompt_id))

    async def send(self, _user_id: int, _screen: Screen) -> int:
        await self.before_sending()
        return len(self.came)


async def test_erase_during_delivery_leaves_nothing(house: House) -> None:
    whole = False
    moment = 0
    while not whole:
        moment += 1
        phone = Phone()
        house.clock.set((await house.arrives(ALICE)).next_ask_at or house.clock.now())
        reached = 0

        async def passes(of: int = moment) -> None:
            nonlocal reached
            reached += 1
            if reached == of:
                async with Store.writing(house.store) as rows:
                    await rows.users.erase(ALICE)

        class Erasing(Store):
            @asynccontextmanager
            async def writing(self, user_id: int | None = None) -> AsyncIterator[Rows]:
                await passes()  # it is used within this turn of the loop
                async with super().writing(user_id) as rows:
                    yield rows

        phone.before_sending = passes
        house.store.__class__ = Erasing
        await _work(house, phone)
        house.store.__class__ = Store
        whole = reached < moment
        if whole:
            assert phone.came, "nobody has erased anything, so the question has come"
            break
        left = {}
        async with house.store.reading() as rows:
            for table in metadata.sorted_tables:
                column = table.c.id if table.name == "users" else table.c.get("user_id")
                if column is not None:
                    query = select(func.count()).select_from(table).where(column == ALICE)
                    left[table.name] = (await rows._connection.execute(query)).scalar_one()
        assert not any(left.values()), (moment, left)
    assert moment > 4, "there was hardly a moment to erase anything"


async def _work(house: House, phone: Phone) -> None:
    anything = cast("Any", phone)
    courier = TelegramCourier(
        house.store, house.clock, anything, anything, anything, house.asks.notice_handlers, anything, anything
    )
    outbox = Outbox(house.store, house.clock, courier, Pacer(rate=1e9), house.asks, house.profile, owner=1)
    await outbox.work()
    await outbox.finish()
