"""Bots share a database, and a command that changes keys has it exclusively."""

import asyncio
from collections.abc import MutableMapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

import bot.storage.database_lock as module
from bot.storage.backup import InUse
from bot.storage.database_lock import DatabaseLock, LockLost, exclusive_lock, shared_lock
from bot.storage.troubles import Taken, Unreachable, trouble_of
from tests.databases import PostgresServer

THE_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def name_of(url: str) -> str:
    return url.rpartition("@/")[2].partition("?")[0]


async def test_command_needs_the_database_exclusively(database_url: str) -> None:
    async with shared_lock(database_url):
        with pytest.raises(InUse, match="Stop it first"):
            async with exclusive_lock(database_url):
                pass
    async with exclusive_lock(database_url) as lock:
        await lock.verify()
        for other in (shared_lock, exclusive_lock):
            with pytest.raises((InUse, Taken)):
                async with other(database_url):
                    pass
    async with shared_lock(database_url):
        pass


async def test_bots_share_postgresql(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, shared_lock(url), shared_lock(url):
        with pytest.raises(InUse):
            async with exclusive_lock(url):
                pass


async def test_bot_waits_for_a_command(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, exclusive_lock(url):
        with pytest.raises(Taken) as taken:
            async with shared_lock(url):
                pass
    trouble = trouble_of(taken.value)
    assert trouble
    assert trouble.passes
    assert trouble.sentence.startswith("A command that changes keys or moves rows")


async def test_nobody_serves_while_the_first_prepares(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUIETLY", 0)
    async with postgres.emptied() as url, shared_lock(url) as one, shared_lock(url) as other:
        async with one.before_serving() as first:
            assert first
            with pytest.raises(Taken, match="Another bot has started first"):
                async with other.before_serving():
                    pass
        async with other.before_serving() as first:
            assert not first
        async with shared_lock(url) as third, third.before_serving() as first:
            assert not first


async def test_second_waits_for_the_first(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUIETLY", 60)
    async with postgres.emptied() as url, shared_lock(url) as one, shared_lock(url) as other:
        async with one.before_serving():
            waiting = asyncio.create_task(other.before_serving().__aenter__())
            done, _ = await asyncio.wait({waiting}, timeout=0.3)
            assert not done
        assert await waiting is False


async def test_first_that_is_killed_leaves_it_to_one_that_waits(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_QUIETLY", 60)
    async with postgres.emptied() as url, AsyncExitStack() as stack:
        killed = await stack.enter_async_context(shared_lock(url))
        await killed.before_serving().__aenter__()
        others = [await stack.enter_async_context(shared_lock(url)) for _ in range(2)]
        waiting = [asyncio.create_task(_is_first(other)) for other in others]
        await asyncio.wait(waiting, timeout=0.3)
        await killed._let_go()  # type: ignore[attr-defined]
        assert sorted(await asyncio.gather(*waiting)) == [False, True]


async def _is_first(lock: DatabaseLock) -> bool:
    async with lock.before_serving() as first:
        return first


async def test_first_that_fails_leaves_it_to_the_next(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, shared_lock(url) as one, shared_lock(url) as other:
        with pytest.raises(RuntimeError):
            async with one.before_serving():
                raise RuntimeError
        async with other.before_serving() as first:
            assert first


async def test_first_that_lost_its_connection_starts_over(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one may have been the first meanwhile, and still be at it."""
    monkeypatch.setattr(module, "_LOOK", 0.05)
    async with postgres.emptied() as url, shared_lock(url) as one, AsyncExitStack() as stack:
        beginning = one.before_serving()
        assert await beginning.__aenter__()
        with capture_logs() as said:
            await postgres.run(THE_OTHERS, database=name_of(url))
            other = await stack.enter_async_context(shared_lock(url))
            assert await stack.enter_async_context(other.before_serving())
            await until_taken_again(said)
        monkeypatch.setattr(module, "_QUIETLY", 0)
        with pytest.raises(Taken):
            await beginning.__aexit__(None, None, None)
        with pytest.raises(Taken):
            await one.before_serving().__aenter__()


async def test_lock_without_a_connection_waits(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, shared_lock(url) as lock:
        await postgres.run(THE_OTHERS, database=name_of(url))
        for _ in range(2):
            with pytest.raises((Unreachable, DBAPIError)) as lost:
                await lock.before_serving().__aenter__()
            trouble = trouble_of(lost.value)
            assert trouble
            assert trouble.passes


async def test_bot_that_serves_still_does_on_a_new_connection(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.05)
    async with postgres.emptied() as url, shared_lock(url) as one:
        async with one.before_serving():
            pass
        with capture_logs() as said:
            await postgres.run(THE_OTHERS, database=name_of(url))
            await until_taken_again(said)
        async with shared_lock(url) as other, other.before_serving() as first:
            assert not first


async def until_taken_again(said: list[MutableMapping[str, Any]]) -> None:
    async with asyncio.timeout(20):
        while not any(line["event"] == "lock.taken_again" for line in said):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_command_notices_a_lost_lock(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, exclusive_lock(url) as lock:
        await lock.verify()
        await postgres.run(THE_OTHERS, database=name_of(url))
        with pytest.raises(LockLost):
            await lock.verify()


async def test_bot_takes_a_lost_lock_again(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.05)
    async with postgres.emptied() as url:
        with capture_logs() as said:
            async with shared_lock(url) as lock:
                await postgres.run(THE_OTHERS, database=name_of(url))
                await until_taken_again(said)
                await lock.verify()
                with pytest.raises(InUse):
                    async with exclusive_lock(url):
                        pass
