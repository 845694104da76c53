"""Users whose locks somebody else holds, on a real PostgreSQL: nobody else has to wait."""

import asyncio
import time as stopwatch
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.delivery.gathering import Gathering
from bot.domain.notices import Notice, NoticeKind
from bot.storage import engine as module
from bot.storage.engine import UserBusy, is_busy
from bot.storage.store import Rows, Store
from bot.storage.troubles import is_passing
from tests.databases import PostgresServer

HELD = range(101, 113)
"""More than there are connections."""
BOB = 7


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    async with postgres.emptied() as url:
        yield url


@pytest.fixture
async def store(url: str, keys: KeyRing, clock: HandClock) -> AsyncIterator[Store]:
    store = Store.at(url, keys)
    async with store.writing() as rows:
        for user_id in (*HELD, BOB):
            await rows.users.add(user_id, "en", clock.now())
    yield store
    await store.close()


@pytest.fixture
async def outsider(url: str, postgres: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    database = url.partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(host=postgres.socket, user="postgres", database=database)
    yield connection
    await connection.close()


async def renames(store: Store, user_id: int) -> None:
    async with store.writing(user_id) as rows:
        await rows.users.set_name(user_id, "A name")


async def test_locked_users_wait_without_a_connection(store: Store, outsider: asyncpg.Connection) -> None:
    for user_id in HELD:
        await outsider.execute("SELECT pg_advisory_lock($1)", user_id)
    waiting = [asyncio.create_task(renames(store, user_id)) for user_id in HELD]
    await asyncio.sleep(0.3)
    took = []
    for _ in range(10):
        began = stopwatch.monotonic()
        await renames(store, BOB)
        took.append(stopwatch.monotonic() - began)
    assert sorted(took)[5] < 0.2, "most of them, since the machine may be busy"
    assert not any(task.done() for task in waiting)
    await outsider.execute("SELECT pg_advisory_unlock_all()")
    await asyncio.wait_for(asyncio.gather(*waiting), 10)


async def test_user_locked_for_long_is_distinguished(
    store: Store, outsider: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_USER_WAIT", 0.2)
    await outsider.execute("SELECT pg_advisory_lock($1)", HELD[0])
    with pytest.raises(UserBusy) as raised:
        await renames(store, HELD[0])
    assert is_passing(raised.value)
    assert is_busy(raised.value)


async def test_deciding_together_waits_for_nobody(store: Store, outsider: asyncpg.Connection, clock: HandClock) -> None:
    async def decide(_: Rows, notices: Sequence[Notice]) -> list[int]:
        return [each.user_id for each in notices]

    await outsider.execute("SELECT pg_advisory_lock($1)", HELD[0])
    gathering, now = Gathering(store, decide), clock.now()
    notices = [Notice(each, each, NoticeKind.ASK, each, now, attempts=1, owner=1) for each in (*HELD, BOB)]
    deciding = [asyncio.create_task(gathering.together(each)) for each in notices]
    others = await asyncio.wait_for(asyncio.gather(*deciding[1:]), module._USER_WAIT / 2)
    assert others == [*HELD[1:], BOB]
    assert not deciding[0].done(), "their lock is held"
    await outsider.execute("SELECT pg_advisory_unlock_all()")
    assert await asyncio.wait_for(deciding[0], 10) == HELD[0]


async def test_locked_rows_delay_others_only_briefly(store: Store, outsider: asyncpg.Connection) -> None:
    async with outsider.transaction():
        await outsider.execute("SELECT 1 FROM users WHERE id = ANY($1) FOR UPDATE", list(HELD))
        waiting = [asyncio.create_task(renames(store, user_id)) for user_id in HELD]
        await asyncio.sleep(0.1)
        began = stopwatch.monotonic()
        await renames(store, BOB)
        assert stopwatch.monotonic() - began < 3, "a lock is waited for a second"
        failed = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, DBAPIError) and is_passing(error) and is_busy(error) for error in failed)
    await renames(store, HELD[0])


async def test_health_check_has_its_own_connection(store: Store) -> None:
    async def holds() -> None:
        async with store.writing():
            taken.release()
            await gate.wait()

    gate, taken = asyncio.Event(), asyncio.Semaphore(0)
    held = [asyncio.create_task(holds()) for _ in range(module._POOL)]
    for _ in held:
        await taken.acquire()
    async with asyncio.timeout(5), store.writing_reserved() as rows:
        await rows.take_note("health", "looked at")
    gate.set()
    await asyncio.gather(*held)


async def test_session_releases_its_locks(store: Store) -> None:
    async with store.reading() as rows:
        found = {
            name: await rows._connection.scalar(text(f"SHOW {name}"))
            for name in {**module._LIMITS, **module.KEEPALIVES}
        }
    timeouts = {name: value for name, value in found.items() if not name.startswith("tcp_")}
    assert timeouts == {
        "lock_timeout": "1s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "10s",
    }  # fmt: skip


async def test_idle_transaction_is_ended_and_retried(store: Store, outsider: asyncpg.Connection) -> None:
    async def dawdles() -> None:
        async with store.writing(BOB) as rows:
            process = await rows._connection.scalar(text("SELECT pg_backend_pid()"))
            await rows._connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            async with asyncio.timeout(20):
                while await outsider.fetchval("SELECT 1 FROM pg_stat_activity WHERE pid = $1", process):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await rows.users.set_name(BOB, "Too late")

    with pytest.raises(DBAPIError) as raised:
        await dawdles()
    assert is_passing(raised.value)
    await renames(store, BOB)


async def test_too_slow_statement_is_ended(store: Store) -> None:
    async def sleeps() -> None:
        async with store.reading() as rows:
            await rows._connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
            await rows._connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DBAPIError) as raised:
        await sleeps()
    assert is_passing(raised.value)
    assert not is_busy(raised.value)


def test_exhausted_pool_is_temporary() -> None:
    assert is_passing(PoolTimeout("QueuePool limit of size 8 overflow 0 reached"))
