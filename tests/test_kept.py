"""A test gets a kept connection and the kept loop as if they were new."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.databases import PostgresServer

pytestmark = pytest.mark.process
LEFT_BEHIND = "SET lock_timeout = '1s'; LISTEN ajar; SELECT pg_advisory_lock(7)"
WAITS_FOR = "SELECT wait_event FROM pg_stat_activity WHERE pid = $1"
NEW = """
    SELECT current_setting('lock_timeout') = '0' AND NOT EXISTS (SELECT FROM pg_listening_channels())
    AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
"""


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[dict[str, str]]:
    """What connects to the database."""
    async with postgres.emptied() as url:
        yield {"host": postgres.socket, "user": "postgres", "database": str(make_url(url).database)}


async def test_closed_connection_is_used_again(database: dict[str, str]) -> None:
    first = await asyncpg.connect(**database)
    await first.execute(LEFT_BEHIND)
    assert not await first.fetchval(NEW)
    await first.close()
    second = await asyncpg.connect(**database)
    assert second is first
    assert await second.fetchval(NEW)
    await second.close()


async def test_other_options_need_another_connection(database: dict[str, str]) -> None:
    first = await asyncpg.connect(**database)
    await first.close()
    second = await asyncpg.connect(**database, server_settings={"lock_timeout": "1s"})
    assert second is not first
    await second.close()


async def test_broken_connections_are_not_kept(database: dict[str, str]) -> None:
    ended, open_, busy = [await asyncpg.connect(**database) for _ in range(3)]
    query = asyncio.create_task(busy.execute("SELECT pg_sleep(60)"))
    while await ended.fetchval(WAITS_FOR, busy.get_server_pid()) != "PgSleep":  # before that, it can't be cancelled
        pass
    await open_.execute("BEGIN")
    await open_.execute("SELECT pg_terminate_backend($1, 10000)", ended.get_server_pid())
    for connection in (open_, ended, busy):
        await connection.close()
    with pytest.raises(asyncpg.PostgresError):
        await query
    fresh = await asyncpg.connect(**database)
    assert fresh not in (ended, open_, busy)
    await fresh.close()


async def test_connection_with_a_cancelled_begin_is_not_kept(database: dict[str, str]) -> None:
    """The server has begun the transaction before it hears that nobody waits for that any more."""
    connection = await asyncpg.connect(**database)
    beginning = asyncio.create_task(connection.execute("BEGIN"))
    await asyncio.sleep(0)
    beginning.cancel()
    await asyncio.wait({beginning})
    await connection.close()
    fresh = await asyncpg.connect(**database)
    assert not fresh.is_in_transaction()
    assert fresh is not connection
    await fresh.close()


async def test_killed_kept_connection_is_dropped(postgres: PostgresServer, database: dict[str, str]) -> None:
    first, killer = await asyncpg.connect(**database), await asyncpg.connect(**database)
    async with postgres.emptied():
        await first.close()
        await killer.execute("SELECT pg_terminate_backend($1, 10000)", first.get_server_pid())
        await killer.close()
    again = await asyncpg.connect(**database)
    assert again is not first
    await again.close()


def test_nothing_stays_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = socket.socketpair()
    heard: list[str] = []
    loops = []

    async def leaves() -> None:
        loop = asyncio.get_running_loop()
        loops.append(loop)
        loop.add_reader(reading.fileno(), heard.append, "read")
        loop.call_later(60, heard.append, "later")
        loop.set_exception_handler(lambda *_: None)

    async def finds_nothing() -> None:
        loop = asyncio.get_running_loop()
        loops.append(loop)
        os.write(writing.fileno(), b"x")
        an_hour_later = loop.time() + 3600
        with monkeypatch.context() as later:
            later.setattr(loop, "time", lambda: an_hour_later)
            for _ in range(3):
                await asyncio.sleep(0)
        assert loop.get_exception_handler() is None

    asyncio.run(leaves())
    loops[0].call_soon_threadsafe(heard.append, "from a thread")
    asyncio.run(finds_nothing())
    assert loops[0] is loops[1]
    assert heard == []
    reading.close()
    writing.close()


async def test_two_loops_at_once_are_two() -> None:
    assert await asyncio.to_thread(asyncio.run, asyncio.sleep(0, "done")) == "done"
