"""Updates are written down once, sealed, claimed by one process, and gone once they are answered."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.clock import HandClock
from bot.crypto import KeyRing, WrongKey
from bot.domain.results import Kept
from bot.storage.inbox import LEASE, NotClaimed, Received
from bot.storage.inbox import Kept as KeptUpdate
from bot.storage.store import Store
from tests.storage.people import ALICE, BOB, ready

WORDS = "The heron stood there until it got dark."
US, OTHERS = 5, 6


def raw(number: int) -> dict[str, Any]:
    return {"update_id": number, "message": {"text": WORDS}}


async def arrive(store: Store, clock: HandClock, *numbers: int, lane: int = ALICE, owner: int = US) -> list[int]:
    async with store.writing() as rows:
        return await rows.inbox.add([Received(each, lane, raw(each)) for each in numbers], owner, clock.now())


async def adopt(store: Store, clock: HandClock, owner: int, *, alone: bool = False) -> list[int]:
    async with store.writing() as rows:
        return [update_id for update_id, _ in await rows.inbox.adopt(owner, clock.now(), alone=alone)]


async def handle(store: Store, clock: HandClock, number: int, owner: int = US, *, answered: bool = False) -> None:
    async with store.writing() as rows:
        await rows.inbox.handle(number, owner, clock.now())
        if answered:
            await rows.inbox.answered([number])


async def test_update_is_written_down_once(store: Store, clock: HandClock) -> None:
    assert await arrive(store, clock, 8, 7) == [7, 8]
    assert await arrive(store, clock, 8, 9) == [9]
    await handle(store, clock, 8)
    assert await arrive(store, clock, 8) == [], "even when it was handled"


async def test_it_opens_until_it_is_answered(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7)
    await handle(store, clock, 7)
    async with store.writing() as rows:
        assert await rows.inbox.find(7) == KeptUpdate(clock.now(), raw(7))
        await rows.inbox.answered([7])
        assert await rows.inbox.find(7) == KeptUpdate(clock.now(), None)
        assert await rows.inbox.find(8) is None
        (whose,) = (await rows._connection.execute(text("SELECT lane FROM inbox"))).scalars()
        assert whose is None, "nor is it known whose it was"


async def test_it_is_sealed(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7)
    async with store.reading() as rows:
        (sealed,) = (await rows._connection.execute(text("SELECT raw FROM inbox"))).scalars()
    assert b"heron" not in bytes(sealed)


async def test_only_the_owner_has_one_effect(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7)
    with pytest.raises(NotClaimed):
        await handle(store, clock, 7, OTHERS)
    await handle(store, clock, 7)
    with pytest.raises(NotClaimed):
        await handle(store, clock, 7)
    with pytest.raises(NotClaimed):
        async with store.writing() as rows:
            await rows.inbox.failed(7, US)


async def test_lane_belongs_to_one_process(store: Store, clock: HandClock) -> None:
    assert await arrive(store, clock, 7, owner=OTHERS) == [7]
    assert await arrive(store, clock, 8) == [], "they still have one of hers"
    assert await arrive(store, clock, 9, lane=BOB) == [9]
    assert await adopt(store, clock, US) == []
    await handle(store, clock, 7, OTHERS)
    assert await adopt(store, clock, US) == [8]


async def test_expired_lease_frees_updates(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 8, 7, owner=OTHERS)
    assert await adopt(store, clock, US) == []
    clock.advance(LEASE / 2)
    async with store.writing() as rows:
        await rows.inbox.renew(OTHERS, clock.now())
    clock.advance(LEASE - timedelta(seconds=1))
    assert await adopt(store, clock, US) == [], "it was alive"
    clock.advance(timedelta(seconds=1))
    assert await adopt(store, clock, US) == [7, 8]
    with pytest.raises(NotClaimed):  # it was only frozen, and wakes up
        await handle(store, clock, 7, OTHERS)


async def test_who_is_alone_adopts_at_once(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7, owner=OTHERS)
    assert await adopt(store, clock, US, alone=True) == [7]


async def test_failures_are_counted(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7, 8)
    async with store.writing() as rows:
        assert [await rows.inbox.failed(7, US) for _ in range(3)] == [1, 2, 3]
        assert await rows.inbox.failed(8, US) == 1


async def test_handled_updates_are_forgotten(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 7, 8)
    await handle(store, clock, 7, answered=True)
    async with store.writing() as rows:
        await rows.inbox.forget_before(clock.now(), 100)
        assert await rows.inbox.find(7)
        await rows.inbox.forget_before(clock.now() + timedelta(minutes=1), 100)
        assert await rows.inbox.find(7) is None
        assert await rows.inbox.find(8), "nobody has handled it"


async def test_words_of_one_user_are_forgotten(store: Store, clock: HandClock) -> None:
    await arrive(store, clock, 6, 7)
    await arrive(store, clock, 8, lane=BOB)
    for number in (6, 8):
        await handle(store, clock, number)
    async with store.writing() as rows:
        await rows.inbox.forget_words_of(ALICE)
        known = [await rows.inbox.find(number) for number in (6, 7, 8)]
        assert [one and one.raw for one in known] == [None, raw(7), raw(8)], "what wasn't handled comes after her end"
    async with store.writing() as rows:
        await rows.inbox.handle(7, US, clock.now())
        await rows.inbox.forget_words_of(ALICE)
        assert await rows.inbox.find(7) == KeptUpdate(clock.now(), raw(7)), "its own answer may need it"
        await rows.inbox.remove_all_of(ALICE)
        assert await rows.inbox.find(7) is None


async def test_needed_key_version_is_not_retired(store: Store, clock: HandClock, keys: KeyRing) -> None:
    await arrive(store, clock, 7)
    with pytest.raises(WrongKey, match="what waits to be handled"):
        async with store.writing() as rows:
            await rows.master_keys.retire(keys.current)


async def answer(store: Store, clock: HandClock, number: int, user_id: int = ALICE, owner: int = US) -> int | None:
    async with store.writing(user_id) as rows:
        behind = await rows.notices.behind(user_id, owner, clock.now())
        notice = await rows.notices.add_answer(user_id, number, Kept(1), clock.now(), owner, behind=behind)
    return notice.id if notice else None


async def test_answers_keep_their_order(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, ALICE, clock.now())
    first, second = await answer(store, clock, 7), await answer(store, clock, 8)
    assert first
    assert second, "nobody else has the one before it"
    clock.advance(LEASE)
    async with store.writing() as rows:
        (notice,) = await rows.notices.claim(clock.now(), 9, OTHERS)
        assert notice.subject_id == 7, "one after the other"
        assert notice.unclear == 1, "it may have arrived"
        at = clock.now() + timedelta(minutes=5)
        await rows.notices.retry(notice, at, unclear=0)
    assert await answer(store, clock, 9) is None, "it waits behind the first"
    assert await answer(store, clock, 10, BOB)
    async with store.writing() as rows:
        assert await rows.notices.claim(clock.now(), 9, OTHERS) == []
        assert rows.due_at is None


async def test_waiting_answer_holds_later_ones_back(store: Store, clock: HandClock) -> None:
    first, second, given = [await answer(store, clock, number) for number in (7, 8, 6)]
    others = await answer(store, clock, 9, BOB)
    at = clock.now() + timedelta(minutes=5)
    async with store.writing(ALICE) as rows:
        found = {one.id: one for one in await rows.notices.claim(clock.now() + LEASE, 9, US)}
    async with store.writing(ALICE) as rows:
        await rows.notices.retry(found[first or 0], at, unclear=0)
        held = await rows.notices.release_answers(found[first or 0], at, excluding=[given or 0])
    assert held == {second}
    assert others not in held
