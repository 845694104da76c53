"""A Notice that is due in a pause or in quiet hours waits for their end, unless its kind can't wait."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest

from bot.clock import HandClock
from bot.delivery.courier import Delivered
from bot.domain.notices import Notice, NoticeKind
from bot.services.arrivals import TakingIn
from bot.storage.store import Store
from bot.tg.answers import Answers
from bot.tg.courier import TelegramCourier
from bot.tg.exporter import Exporter
from bot.tg.rendering import Renderer
from bot.tg.sender import Sender

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
