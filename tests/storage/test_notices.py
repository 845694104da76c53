"""The outbox: claimed by one, settled once, never lost."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.exc import IntegrityError

from bot.clock import HandClock
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Kept
from bot.storage import backlog
from bot.storage.inbox import Received
from bot.storage.notices import _DUE, EARLIEST, LEASE, Settled
from bot.storage.prepared import prepared
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, ready

SECOND = timedelta(seconds=1)
KIND = NoticeKind.ASK


@pytest.fixture(autouse=True)
async def _people(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, ALICE, clock.now())
        await ready(rows, BOB, clock.now())


async def add(store: Store, clock: HandClock, subjects: Iterable[int], *, due_in: timedelta = timedelta()) -> None:
    async with store.writing() as rows:
        due_at = clock.now() + due_in
        await rows.notices.add([(ALICE, KIND, subject, due_at) for subject in subjects], clock.now())


async def claim(store: Store, clock: HandClock, limit: int = 10) -> list[Notice]:
    async with store.writing() as rows:
        return await rows.notices.claim(clock.now(), limit, 1)


async def claim_one(store: Store, clock: HandClock) -> Notice:
    (notice,) = await claim(store, clock)
    return notice


async def answer(store: Store, clock: HandClock, number: int, user_id: int) -> None:
    """An answer that waits as a row."""
    async with store.writing() as rows:
        await rows.inbox.add([Received(number, user_id, {})], 1, clock.now())
        await rows.inbox.handle(number, 1, clock.now())
        await rows.notices.add_answer(user_id, number, Kept(1, 0), clock.now(), 1, behind=clock.now())


async def begin_sending(store: Store, notice: Notice) -> bool:
    async with store.writing() as rows:
        return await rows.notices.sending(notice)


async def test_answers_come_before_older_questions(store: Store, clock: HandClock) -> None:
    await add(store, clock, range(1, 6))
    clock.advance(SECOND)
    await answer(store, clock, 100, ALICE)
    await answer(store, clock, 101, BOB)
    assert [n.subject_id for n in await claim(store, clock, limit=1)] == [100]
    assert [n.kind for n in await claim(store, clock, limit=3)] == [NoticeKind.ANSWER, KIND, KIND]
    assert len(await claim(store, clock)) == 3


async def test_due_notices_are_claimed_earliest_first(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1], due_in=2 * SECOND)
    await add(store, clock, [2], due_in=SECOND)
    await add(store, clock, [3], due_in=timedelta(hours=1))
    assert await claim(store, clock) == [], "nothing is due yet"
    clock.advance(2 * SECOND)
    assert [n.subject_id for n in await claim(store, clock, limit=1)] == [2]
    assert [n.subject_id for n in await claim(store, clock)] == [1]
    assert await claim(store, clock) == [], "the rest is not due"


async def test_lease_excludes_others_until_it_ends(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    notice = await claim_one(store, clock)
    assert (notice.attempts, notice.unclear) == (1, 0)
    clock.advance(LEASE - SECOND)
    assert await claim(store, clock) == []
    clock.advance(SECOND)
    again = await claim_one(store, clock)
    assert (again.id, again.attempts, again.unclear) == (notice.id, 2, 0), "claimed, but never sent: not unclear"


async def test_death_while_sending_counts_as_unclear(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    for unclear in range(3):
        notice = await claim_one(store, clock)
        assert notice.unclear == unclear
        assert await begin_sending(store, notice)
        clock.advance(LEASE)


async def test_retry_states_if_it_was_unclear(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    for unclear, expected in ((0, 0), (1, 1), (0, 1), (2, 3)):
        notice = await claim_one(store, clock)
        assert await begin_sending(store, notice)
        async with store.writing() as rows:
            await rows.notices.retry(notice, clock.now() + SECOND, unclear=unclear)
        assert await claim(store, clock) == [], "not before its time"
        clock.advance(SECOND)
        async with store.reading() as rows:
            assert await rows.earliest_due() == clock.now()
        again = await claim_one(store, clock)
        assert again.unclear == expected
        async with store.writing() as rows:
            await rows.notices.retry(again, clock.now(), unclear=0)


async def test_release_gives_leases_back_at_once(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1, 2])
    first, second = sorted(await claim(store, clock), key=lambda n: n.subject_id)
    assert await begin_sending(store, first)
    async with store.writing() as rows:
        await rows.notices.release(clock.now())
    found = {n.id: n.unclear for n in await claim(store, clock)}
    assert found == {first.id: 1, second.id: 0}


async def test_release_keeps_scheduled_notices(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1], due_in=timedelta(hours=3))
    async with store.writing() as rows:
        await rows.notices.release(clock.now())
    assert await claim(store, clock) == []


async def test_settled_notice_stays_settled(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    notice = await claim_one(store, clock)
    async with store.writing() as rows:
        await rows.notices.settle(notice, Settled.SENT, clock.now())
        await rows.notices.retry(notice, clock.now(), unclear=1)
        assert not await rows.notices.sending(notice)
    clock.advance(LEASE)
    assert await claim(store, clock) == []
    async with store.reading() as rows:
        alice = await rows.users.find(ALICE)
        assert alice
        assert await rows.earliest_due() == alice.next_ask_at, "nothing but the next Ask"


async def test_cancelled_notice_is_not_sent(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1, 2])
    first, second = sorted(await claim(store, clock), key=lambda n: n.subject_id)
    async with store.writing() as rows:
        await rows.notices.cancel(KIND, 1, clock.now())
    assert not await begin_sending(store, first)
    assert await begin_sending(store, second), "only the one that was named"


async def test_sending_begins_once_per_claim(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    notice = await claim_one(store, clock)
    assert await begin_sending(store, notice)
    assert not await begin_sending(store, notice)


async def test_one_open_notice_per_subject(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1])
    with pytest.raises(IntegrityError):
        await add(store, clock, [1])
    async with store.writing() as rows:
        await rows.notices.cancel(KIND, 1, clock.now())
        await rows.notices.add([(ALICE, KIND, 1, clock.now())], clock.now())
    assert len(await claim(store, clock)) == 1, "a settled one makes room"


async def test_claimed_notice_is_not_claimed_again(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1, 2])
    in_hand = {n.id for n in await claim(store, clock) if n.subject_id == 1}
    clock.advance(LEASE)
    async with store.writing() as rows:
        found = await rows.notices.claim(clock.now(), 10, 1, excluding=in_hand)
    assert [n.subject_id for n in found] == [2]


async def test_two_workers_never_claim_the_same(store: Store, clock: HandClock) -> None:
    await add(store, clock, range(1, 61))

    async def worker() -> list[int]:
        mine: list[int] = []
        while claimed := await claim(store, clock, limit=3):
            mine += [notice.subject_id for notice in claimed]
        return mine

    shares = await asyncio.gather(*(worker() for _ in range(4)))
    everything = [subject for share in shares for subject in share]
    assert sorted(everything) == list(range(1, 61))


async def test_only_settled_notices_are_removed(store: Store, clock: HandClock) -> None:
    await add(store, clock, [1, 2])
    async with store.writing() as rows:
        await rows.notices.cancel(KIND, 1, clock.now())
    clock.advance(SECOND)
    async with store.writing() as rows:
        await rows.notices.forget_before(clock.now(), 100)
        sums = await rows.sums()
    assert sums["messages waiting to be sent"] == 1
    assert [n.subject_id for n in await claim(store, clock)] == [2]


async def test_transaction_knows_its_earliest_notice(store: Store, clock: HandClock) -> None:
    """Otherwise the alarm would be set for the last of them, and a Notice due at once would wait for the next look."""
    async with store.writing() as rows:
        for subject, due_in in ((1, 2 * SECOND), (2, SECOND), (3, 3 * SECOND)):
            await rows.notices.add([(ALICE, KIND, subject, clock.now() + due_in)], clock.now())
        assert rows.due_at == clock.now() + SECOND


async def test_answers_are_sent_in_turn(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        for number, (user_id, due_in) in enumerate([(ALICE, 20), (ALICE, 0), (BOB, 0), (ALICE, 0)]):
            clock.advance(SECOND)
            due_at = clock.now() + due_in * SECOND
            await rows.notices.add([(user_id, NoticeKind.ANSWER, number, due_at)], clock.now())
        await rows.notices.add([(ALICE, KIND, 9, clock.now())], clock.now())
    (asked, bobs) = sorted(await claim(store, clock), key=lambda notice: -notice.subject_id)
    assert (asked.subject_id, bobs.subject_id) == (9, 2), "what Alice is told first is not due yet"
    clock.advance(20 * SECOND)
    for number in (0, 1, 3):
        notice = await claim_one(store, clock)
        assert notice.subject_id == number
        assert await begin_sending(store, notice)
        assert await claim(store, clock) == [], "the one before is still on its way"
        async with store.writing() as rows:
            await rows.notices.settle(notice, Settled.SENT, clock.now())


@pytest.mark.parametrize("statement", [EARLIEST, _DUE, backlog._DUE_BY_STATE])
async def test_due_notices_are_found_by_index(store: Store, clock: HandClock, statement: Select[Any]) -> None:
    """Otherwise each look would sort all that is open, which is a recap for every user."""
    async with store.reading() as rows:
        connection = rows._connection
        if connection.dialect.name != "sqlite":
            pytest.skip("how SQLite goes about it")
        values = {"now": clock.now(), "excluded": (0,), "count": 1}
        ready = prepared(statement, values, connection.dialect)
        assert ready
        plan = f"EXPLAIN QUERY PLAN {ready.text}"
        found = (await connection.exec_driver_sql(plan, tuple(ready.parameters(values)))).all()
    ways = [row.detail for row in found if "notices" in row.detail]
    assert "ix_notices_due" in ways[0]
    assert not [row.detail for row in found if "FOR ORDER BY" in row.detail]
    earlier = [row.detail for row in found if "earlier" in row.detail]
    assert all("ix_notices_open_of_user" in way for way in earlier), "a flood of answers would make each claim slow"
    assert bool(earlier) is (statement is not EARLIEST)


async def test_claims_never_exceed_the_limit(store: Store, clock: HandClock) -> None:
    """PostgreSQL may repeat a subquery for each row that it looks at, and so find others to lock each time."""
    await add(store, clock, range(1, 6))
    for number, user_id in enumerate((ALICE, BOB)):
        await answer(store, clock, 100 + number, user_id)
    clock.advance(SECOND)
    async with store.writing() as rows:
        if rows._connection.dialect.name == "postgresql":
            for way in ("hashjoin", "mergejoin", "hashagg", "material", "sort"):
                await rows._connection.execute(text(f"SET LOCAL enable_{way} = off"))
        assert len(await rows.notices.claim(clock.now(), 1, 1)) == 1
        assert len(await rows.notices.claim(clock.now(), 3, 1)) == 3
