"""Processes that share a PostgreSQL: who is there, who has gone, and which updates belong to whom."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.notices import NoticeKind
from bot.storage.inbox import WAITING, NotClaimed, Received
from bot.storage.listening import Listener, announce
from bot.storage.processes import EVERY_CHAT, Seen
from bot.storage.store import Store
from tests.databases import PostgresServer
from tests.storage.people import ALICE, BOB, ready

pytestmark = pytest.mark.process

HERE, THERE, ELSEWHERE = 5, 6, 7


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with postgres.emptied() as url:
        yield url


@pytest.fixture
async def other(database_url: str, keys: KeyRing) -> AsyncIterator[Store]:
    """The same database, as another process sees it."""
    store = Store.at(database_url, keys)
    yield store
    await store.close()


async def joined(store: Store, *processes: int, role: str = "all") -> None:
    for process in processes:
        async with store.writing_reserved() as rows:
            assert await rows.processes.join(process, role, "1")


async def beat(store: Store, process: int, *, passed_on: int = 0) -> Seen:
    async with store.writing_reserved() as rows:
        return await rows.processes.beat(process, passed_on=passed_on)


async def test_processes_are_listed_in_joining_order(store: Store) -> None:
    await joined(store, THERE, HERE)
    await beat(store, HERE, passed_on=3)
    seen = await beat(store, HERE, passed_on=2)
    assert [(process.id, process.beat, process.passed_on) for process in seen.processes] == [
        (THERE, 0, 0),
        (HERE, 2, 5),
    ]
    async with store.writing_reserved() as rows:
        assert await rows.processes.remove(THERE)
    await joined(store, ELSEWHERE)
    assert [process.id for process in (await beat(store, HERE)).processes] == [HERE, ELSEWHERE]


async def test_many_can_join_at_once(store: Store) -> None:
    async def join(process: int) -> None:
        while True:
            async with store.writing_reserved() as rows:
                if await rows.processes.join(process, "all", "1"):
                    return

    await asyncio.gather(*(join(process) for process in range(1, 9)))
    places = [process.place for process in (await beat(store, 1)).processes]
    assert len(set(places)) == 8


async def test_joining_again_keeps_the_place(store: Store) -> None:
    """A commit that seemed to fail is repeated."""
    await joined(store, HERE, THERE, HERE)
    assert [process.id for process in (await beat(store, HERE)).processes] == [HERE, THERE]


async def test_only_a_still_beat_is_removed(store: Store) -> None:
    await joined(store, HERE, THERE)
    await beat(store, THERE)
    async with store.writing_reserved() as rows:
        assert not await rows.processes.remove(THERE, beat=0), "it has beaten since"
        assert await rows.processes.remove(THERE, beat=1)
    assert [process.id for process in (await beat(store, HERE)).processes] == [HERE]


async def test_all_know_with_whom_to_wait(store: Store) -> None:
    await joined(store, HERE, THERE)
    async with store.writing_reserved() as rows:
        await rows.processes.hold({ALICE: 60, BOB: 60, EVERY_CHAT: 5})
    async with store.writing_reserved() as rows:
        await rows.processes.hold({BOB: 0, ALICE: 30})
    held = (await beat(store, THERE)).holds
    assert held.keys() == {ALICE, EVERY_CHAT}
    assert 25 < held[ALICE] <= 30
    async with store.reading() as rows:
        found = await rows._connection.execute(text("SELECT chat_id FROM holds WHERE chat_id <> 0"))
        assert [row.chat_id for row in found] == [ALICE], "what is over isn't kept"


def update(number: int, lane: int = ALICE) -> Received:
    return Received(number, lane, {"update_id": number})


async def test_shared_update_is_handled_by_one(store: Store, other: Store, clock: HandClock) -> None:
    for number in range(12):

        async def take(where: Store, owner: int, number: int = number) -> bool:
            async with where.writing() as rows:
                await rows.inbox.add([update(number, lane=100 + number)], owner, clock.now())
            try:
                async with where.writing() as rows:
                    await rows.inbox.handle(number, owner, clock.now())
                    await rows.inbox.answered([number])
            except NotClaimed:
                return False
            return True

        done = await asyncio.gather(take(store, HERE), take(other, THERE))
        if not any(done):  # each left it to the other one, so whoever looks next takes it
            async with store.writing() as rows:
                assert await rows.inbox.adopt(HERE, clock.now(), alone=False) == [(number, 100 + number)]
        assert sum(done) <= 1


async def test_lane_is_never_claimed_by_two(store: Store, other: Store, clock: HandClock) -> None:
    """Two updates of one user that two processes write down at the same time."""
    for number in range(20):
        lane, first, second = 100 + number, 2 * number + 1, 2 * number + 2

        async def add(where: Store, owner: int, update_id: int, lane: int = lane) -> list[int]:
            async with where.writing() as rows:
                return await rows.inbox.add([update(update_id, lane)], owner, clock.now())

        mine, yours = await asyncio.gather(add(store, HERE, first), add(other, THERE, second))
        assert not (mine and yours), "both would be handled at once"
        async with store.writing() as rows:
            adopted = await rows.inbox.adopt(HERE, clock.now(), alone=False)
        async with other.writing() as rows:
            adopted += await rows.inbox.adopt(THERE, clock.now(), alone=False)
        assert sorted([*mine, *yours, *(update_id for update_id, _ in adopted)]) == [first, second]


async def test_abandoned_lanes_are_adopted_whole(store: Store, other: Store, clock: HandClock) -> None:
    numbers = range(1, 41)
    async with store.writing() as rows:
        assert await rows.inbox.add([update(number, number // 4) for number in numbers], None, clock.now()) == []

    async def adopt(where: Store, owner: int) -> list[tuple[int, int]]:
        async with where.writing() as rows:
            return await rows.inbox.adopt(owner, clock.now(), alone=False, lanes=6)

    mine, yours = await asyncio.gather(adopt(store, HERE), adopt(other, THERE))
    assert not {lane for _, lane in mine} & {lane for _, lane in yours}
    rest = await adopt(store, HERE)
    assert sorted(number for number, _ in [*mine, *yours, *rest]) == list(numbers)


async def test_lane_being_claimed_is_left_alone(store: Store, other: Store, clock: HandClock) -> None:
    """Nobody waits for that either, so a process that is frozen meanwhile keeps nobody from writing updates down."""
    async with store.writing() as rows:
        assert await rows.inbox.add([update(1)], HERE, clock.now()) == [1]
        async with other.writing() as others:  # PostgreSQL would end a wait for a lock
            assert await others.inbox.add([update(2), update(3, BOB)], THERE, clock.now()) == [3]


async def test_departed_process_frees_its_claims(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, ALICE, clock.now())
        await rows.inbox.add([update(1), update(2)], THERE, clock.now())
        await rows.notices.add([(ALICE, NoticeKind.ASK, 7, clock.now())], clock.now())
        await rows.notices.add([(ALICE, NoticeKind.REMINDER, 8, clock.now())], clock.now())
    async with store.writing() as rows:
        asked, reminded = await rows.notices.claim(clock.now(), 10, THERE)
        assert await rows.notices.sending(asked)
    async with store.writing() as rows:
        assert await rows.notices.claim(clock.now(), 10, HERE) == []
        await rows.inbox.release_of(THERE)
        await rows.notices.release_of(THERE, clock.now())
    async with store.writing() as rows:
        assert await rows.inbox.adopt(HERE, clock.now(), alone=False) == [(1, ALICE), (2, ALICE)]
        found = {notice.kind: notice for notice in await rows.notices.claim(clock.now(), 10, HERE)}
        assert found[asked.kind].unclear == 1, "it may have arrived"
        assert found[reminded.kind].unclear == 0
    async with store.writing() as rows:
        with pytest.raises(NotClaimed):
            await rows.inbox.handle(1, THERE, clock.now())
        assert not await rows.notices.sending(reminded), "if it wakes up, it sends nothing"


async def test_processes_hear_each_other(store: Store, database_url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(Listener(database_url, heard.put_nowait).run())
    try:
        async with asyncio.timeout(10):
            while heard.empty():
                async with store.writing() as rows:
                    await announce(rows._connection, WAITING)
                await asyncio.sleep(0.05)
        async with store.writing() as rows:  # the connection that listens is lost
            listens = "datname = current_database() AND query LIKE 'LISTEN%'"
            end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listens}"  # noqa: S608  # our own
            await rows._connection.execute(text(end))
        await asyncio.sleep(0.2)
        while not heard.empty():
            heard.get_nowait()
        async with asyncio.timeout(10):
            while heard.empty():
                async with store.writing() as rows:
                    await announce(rows._connection, WAITING)
                await asyncio.sleep(0.05)
    finally:
        listening.cancel()
        await asyncio.wait({listening})


async def test_unclaimed_update_is_announced(store: Store, database_url: str, clock: HandClock) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(Listener(database_url, heard.put_nowait).run())
    try:
        async with asyncio.timeout(10):
            number = 0
            while heard.empty():
                number += 1
                async with store.writing() as rows:
                    await rows.inbox.add([update(number, lane=number)], HERE, clock.now())
                    await rows.inbox.add([update(1000 + number, lane=number)], THERE, clock.now())
                await asyncio.sleep(0.05)
        assert heard.get_nowait() == WAITING
    finally:
        listening.cancel()
        await asyncio.wait({listening})
    async with store.writing() as rows:
        assert await rows.inbox.is_crowded(number)
        assert not await rows.inbox.is_crowded(2 * number)
