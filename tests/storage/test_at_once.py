"""Transactions that do the same at once on PostgreSQL, as in several processes: none fails, and nothing gets lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.notices import NoticeKind
from bot.services.awaiting_consent import await_consent
from bot.services.menu import renew_menus
from bot.storage.store import Rows, Store
from tests.databases import PostgresServer
from tests.storage.people import ALICE, ready

pytestmark = pytest.mark.usefixtures("patient_locks")

_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def store(postgres: PostgresServer, keys: KeyRing) -> AsyncIterator[Store]:
    async with postgres.emptied() as url:
        store = Store.at(url, keys)
        yield store
        await store.close()


async def until_it_waits(store: Store, second: asyncio.Task[None]) -> None:
    """Wait until a transaction waits for a lock, or has ended. Within one transaction PostgreSQL shows one moment."""
    async with asyncio.timeout(20):
        while not second.done():
            async with store.reading() as watching:
                if (await watching._connection.exec_driver_sql(_WAITING)).first():
                    return
            await asyncio.wait([second], timeout=0.01)


async def at_once(store: Store, work: Callable[[Rows], Awaitable[object]]) -> None:
    """Do this work in two transactions, of which the first ends once the second waits for it, or has ended itself."""

    async def do() -> None:
        async with store.writing() as rows:
            await work(rows)

    async with store.writing() as rows:
        await work(rows)
        await rows.people()  # so that it executes what it has left for later
        second = asyncio.create_task(do())
        await until_it_waits(store, second)
    await second


async def claimed(store: Store, clock: HandClock) -> list[NoticeKind]:
    async with store.writing() as rows:
        return [notice.kind for notice in await rows.notices.claim(clock.now(), 10, 1)]


async def test_menu_is_renewed_once(store: Store, clock: HandClock) -> None:
    """A start renews all menus while somebody begins a pause."""
    await at_once(store, lambda rows: renew_menus(rows, [ALICE], clock.now()))
    assert await claimed(store, clock) == [NoticeKind.MENU]


async def test_menu_is_renewed_again_while_it_is_sent(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await renew_menus(rows, [ALICE], clock.now())
    (kind,) = await claimed(store, clock)
    await at_once(store, lambda rows: renew_menus(rows, [ALICE], clock.now()))
    assert await claimed(store, clock) == [kind]


async def test_consent_is_asked_for_once(store: Store, clock: HandClock) -> None:
    """A question and a message from the partner come due together after the policy has changed."""
    async with store.writing() as rows:
        await rows.users.change(await ready(rows, ALICE, clock.now()), consented_at=clock.now(), consent_version=0)

    async def ask(rows: Rows) -> None:
        user = await rows.users.find(ALICE)
        assert user
        await await_consent(rows, user, clock.now())

    await at_once(store, ask)
    assert await claimed(store, clock) == [NoticeKind.CONSENT]


async def test_missing_note_is_locked_too(store: Store) -> None:
    """Several processes add to the same sums, which none of them has begun yet."""

    async def count(rows: Rows) -> None:
        noted = await rows.note_to_change("sums")
        await rows.take_note("sums", str(int(noted or 0) + 1))

    await at_once(store, count)
    async with store.reading() as rows:
        assert await rows.note("sums") == "2"


async def test_export_is_imported_once(store: Store, clock: HandClock) -> None:
    async with store.reading() as rows:
        arrival = await rows.arrivals.seal(ALICE, b"an export")
    await at_once(store, lambda rows: rows.arrivals.put(arrival, clock.now()))
    async with store.reading() as rows:
        assert await rows.arrivals.find(ALICE) == b"an export"


async def test_two_processes_can_be_told_to_wait_with_the_same_chats(store: Store) -> None:
    async def hear_of_both() -> None:
        async with store.writing_reserved() as rows:
            await rows.processes.hold({ALICE + 1: 5.0, ALICE: 5.0})

    async with store.writing_reserved() as rows:
        await rows.processes.hold({ALICE: 5.0})
        second = asyncio.create_task(hear_of_both())
        await until_it_waits(store, second)
        await rows.processes.hold({ALICE + 1: 5.0})
    await second
