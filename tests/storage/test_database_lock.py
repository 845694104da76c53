"""Bots share a database, and a command that changes keys has it exclusively."""

import asyncio

import pytest
from structlog.testing import capture_logs

import bot.storage.database_lock as module
from bot.storage.backup import InUse
from bot.storage.database_lock import LockLost, exclusive_lock, shared_lock
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
            with pytest.raises(InUse):
                async with other(database_url):
                    pass
    async with shared_lock(database_url):
        pass


async def test_bots_share_postgresql(postgres: PostgresServer) -> None:
    async with postgres.emptied() as url, shared_lock(url) as first:
        async with first.if_alone() as alone:
            assert alone
            with pytest.raises(InUse):
                async with shared_lock(url):
                    pass
        async with shared_lock(url) as second, second.if_alone() as alone:
            assert not alone
        with pytest.raises(InUse):
            async with exclusive_lock(url):
                pass


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
                async with asyncio.timeout(20):
                    while not any(line["event"] == "lock.taken_again" for line in said):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                await lock.verify()
                with pytest.raises(InUse):
                    async with exclusive_lock(url):
                        pass
