"""What older questions leave goes after a while; what a rule, a Line or the user's next reply needs stays."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.clock import HandClock
from bot.domain.model import Ask, AskState, Line
from bot.services.housekeeping import ASKS_KEPT, MESSAGES_KEPT, Housekeeping
from bot.storage import store as module
from bot.storage.schema import ask_messages, asks
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, ready

DAYS = 450
CHARLIE = 1003


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 7)
    monkeypatch.setattr(module, "_FEW", 2)


def id_of(user_id: int, day: int) -> int:
    return 10_000 * user_id + day


async def lived(store: Store, clock: HandClock, user_id: int, days: range) -> None:
    """Somebody who was asked on these days, counted from now backwards, each time by one message."""
    today = clock.now().date()
    async with store.writing() as rows:
        await ready(rows, user_id, clock.now())
        await rows.asks.add(
            [
                Ask(id_of(user_id, day), user_id, today - timedelta(days=day), AskState.SKIPPED, clock.now())
                for day in days
            ]
        )
        for day in days:
            await rows.asks.showing(user_id, id_of(user_id, day), id_of(user_id, day), None)


async def stays(store: Store, clock: HandClock, user_id: int) -> tuple[set[int], set[int]]:
    """Return for how many days ago there are Asks, and messages that show one."""
    today = clock.now().date()
    async with store.reading() as rows:
        connection = rows._connection
        days = (await connection.execute(select(asks.c.day).where(asks.c.user_id == user_id))).scalars()
        shown = select(asks.c.day).join(ask_messages, ask_messages.c.ask_id == asks.c.id)
        messages = (await connection.execute(shown.where(asks.c.user_id == user_id))).scalars()
        return {(today - day).days for day in days}, {(today - day).days for day in messages}


async def test_what_is_needed_stays(store: Store, clock: HandClock) -> None:
    for user_id, days in ((ALICE, range(DAYS)), (BOB, range(430, DAYS)), (CHARLIE, range(10))):
        await lived(store, clock, user_id, days)
    today: date = clock.now().date()
    async with store.writing(ALICE) as rows:
        kept = await rows.asks.on(ALICE, today - timedelta(days=440))
        assert kept
        line = Line(7, ALICE, kept.day, kept.id, 5)
        await rows.lines.keep(line, "The heron stood there.", prompt_id=None, now=clock.now())
    await Housekeeping(store, clock).tidy()
    recent = set(range(MESSAGES_KEPT.days + 1))
    assert await stays(store, clock, ALICE) == ({*range(ASKS_KEPT.days + 1), 440}, recent)
    assert await stays(store, clock, BOB) == ({430}, {430}), "the latest one, however old"
    assert await stays(store, clock, CHARLIE) == (set(range(10)), set(range(10)))


async def test_daily_tidying_checks_one_date(store: Store, clock: HandClock) -> None:
    await lived(store, clock, ALICE, range(DAYS))
    house = Housekeeping(store, clock)
    await house.tidy()
    assert await store.tidy_asks(clock.now().date(), messages_kept=MESSAGES_KEPT, asks_kept=ASKS_KEPT) == 0
    clock.advance(timedelta(days=3))
    tidied = await store.tidy_asks(clock.now().date(), messages_kept=MESSAGES_KEPT, asks_kept=ASKS_KEPT)
    assert tidied == 3 + 3, "three messages, and three Asks"
