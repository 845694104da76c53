"""What can be removed from a chat: ids only, of users only, until it is removed or two days old."""

from datetime import datetime, timedelta

import pytest

from bot.clock import HandClock
from bot.domain.notices import Notice, NoticeKind
from bot.storage.notices import Settled
from bot.storage.store import Rows, Store
from tests.storage.people import ALICE, BOB, ready

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
async def _people(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, ALICE, clock.now())
        await ready(rows, BOB, clock.now())


async def claimed(store: Store, clock: HandClock) -> list[Notice]:
    async with store.writing() as rows:
        return await rows.notices.claim(clock.now(), 10, 1)


async def due(rows: Rows, user_id: int, moment: datetime) -> list[int]:
    return [each.message_id for each in await rows.traces.due(user_id, moment)]


async def test_latest_removal_time_counts(store: Store, clock: HandClock) -> None:
    now = clock.now()
    async with store.writing() as rows:
        await rows.traces.note(ALICE, 7, now)
        await rows.traces.note(ALICE, 8, now, hide_at=now)
        await rows.traces.note(ALICE, 8, now, hide_at=now + 5 * MINUTE)
        await rows.traces.note(ALICE, 8, now)  # shown anew, as something that stays: it goes all the same
        await rows.traces.note(BOB, 8, now, hide_at=now)
        assert await due(rows, ALICE, now) == []
        assert await rows.traces.next_due(ALICE, clock.now()) == now + 5 * MINUTE
        assert await due(rows, ALICE, now + 5 * MINUTE) == [8]
        await rows.traces.hide_all(ALICE, now)
        assert await due(rows, ALICE, now) == [7, 8]
        await rows.traces.forget(ALICE, [7, 8])
        assert await rows.traces.next_due(ALICE, clock.now()) is None
        assert await due(rows, BOB, now) == [8]
        assert await due(rows, BOB, now + timedelta(hours=48)) == [], "no bot can delete that any more"
        assert await rows.traces.next_due(BOB, now + timedelta(hours=48)) is None


async def test_departed_user_leaves_no_traces(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await rows.traces.note(ALICE, 7, clock.now())
        await rows.users.erase(ALICE)
        await rows.traces.note(ALICE, 8, clock.now(), hide_at=clock.now())
        await rows.traces.note(3003, 9, clock.now(), hide_at=clock.now())
    async with store.reading() as rows:
        assert [await rows.traces.next_due(each, clock.now()) for each in (ALICE, 3003)] == [None, None]


async def test_old_traces_are_forgotten(store: Store, clock: HandClock) -> None:
    first, hour = clock.now(), timedelta(hours=1)
    async with store.writing() as rows:
        await rows.traces.note(ALICE, 7, first + 20 * MINUTE)
        await rows.traces.note(ALICE, 8, first + hour)
        await rows.traces.hide_all(ALICE, first)
        await rows.traces.forget_before(first, 100)
        assert await due(rows, ALICE, first) == [7, 8]
        await rows.traces.forget_before(first + MINUTE, 100)
        assert await due(rows, ALICE, first) == [8], "only the hour is known"


async def test_one_notice_marks_the_earliest_removal(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        for minutes in (5, 2, 9):
            await rows.notices.hide(ALICE, clock.now() + minutes * MINUTE, clock.now())
    clock.advance(MINUTE)
    assert await claimed(store, clock) == []
    clock.advance(MINUTE)
    (notice,) = await claimed(store, clock)
    assert (notice.kind, notice.user_id) == (NoticeKind.HIDE, ALICE)


async def test_concurrent_traces_are_not_missed(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await rows.notices.hide(ALICE, clock.now(), clock.now())
    (notice,) = await claimed(store, clock)
    async with store.writing() as rows:  # an answer is settled meanwhile
        await rows.traces.note(ALICE, 8, clock.now(), hide_at=clock.now() + MINUTE)
        await rows.notices.hide(ALICE, clock.now() + MINUTE, clock.now())
    async with store.writing(ALICE) as rows:
        await rows.notices.lock(notice)
        later = await rows.traces.next_due(ALICE, clock.now())
        assert later
        await rows.notices.put_off(notice, later)
    clock.advance(MINUTE)
    (again,) = await claimed(store, clock)
    async with store.writing() as rows:
        await rows.notices.settle(again, Settled.SENT, clock.now())
        await rows.notices.hide(ALICE, clock.now(), clock.now())
    assert len(await claimed(store, clock)) == 1, "after it is settled, there can be the next"
