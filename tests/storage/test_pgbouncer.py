"""Transactions by way of a real PgBouncer in transaction mode, with fewer connections behind it than before it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import DEVNULL
from typing import Any

import pytest
from sqlalchemy import make_url, text

from bot.clock import HandClock
from bot.config import load
from bot.crypto import KeyRing
from bot.fence import Fence
from bot.presence import Presence
from bot.storage.database_lock import shared_lock
from bot.storage.inbox import WAITING, Received
from bot.storage.listening import Listener
from bot.storage.store import Store
from tests.databases import PostgresServer
from tests.journeys.house import free_port
from tests.kept import kept_processes
from tests.machine import NOT_TESTED
from tests.storage.people import ready

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
BEHIND = 2
"""Connections that PgBouncer keeps to the database: so few that transactions of one of ours change between them."""
PEOPLE = range(1, 13)

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(PGBOUNCER is None, reason=f"{NOT_TESTED} PgBouncer: apt install pgbouncer"),
]


@asynccontextmanager
async def pooler(postgres: PostgresServer) -> AsyncIterator[int]:
    """Run a PgBouncer before the server of the tests. Gives its port."""
    port, owner = free_port(), os.stat(postgres.socket)  # noqa: PTH116  # nothing else goes on yet
    settings = postgres.folder / f"pgbouncer-{port}.ini"
    settings.write_text(
        f"[databases]\n* = host={postgres.socket} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        f"default_pool_size = {BEHIND}\nmax_client_conn = 100\n"
    )
    settings.chmod(0o644)
    # It refuses to run as root, and the server runs as another user then.
    as_owner: dict[str, Any] = (
        {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    process = await asyncio.create_subprocess_exec(
        str(PGBOUNCER), "-q", str(settings), stdout=DEVNULL, stderr=DEVNULL, **as_owner
    )
    try:
        async with asyncio.timeout(10):
            while not await _answers(port):
                assert process.returncode is None, "it ended"
                await asyncio.sleep(0.05)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        settings.unlink()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
async def url(postgres: PostgresServer) -> AsyncIterator[str]:
    """The database's address as an operator gives it."""
    async with pooler(postgres) as port, postgres.emptied() as direct:
        name = make_url(direct).database
        given = f"postgresql://postgres@/{name}?host={postgres.socket}&pgbouncer=127.0.0.1:{port}"
        yield load({"AJAR_DATABASE_URL": given}, None, need_token=False).database_url


async def test_transactions_may_change_connections(url: str, keys: KeyRing, clock: HandClock) -> None:
    store = Store.at(url, keys)

    async def live(user_id: int) -> None:
        async with store.writing(user_id) as rows:
            await ready(rows, user_id, clock.now())
        for _ in range(10):
            async with store.reading() as rows:
                assert await rows.users.find(user_id)
            async with store.writing(user_id) as rows:
                await rows.users.set_name(user_id, f"P{user_id}")
                assert await rows._connection.scalar(text("SHOW lock_timeout")) == "1s"

    try:
        await asyncio.gather(*map(live, PEOPLE))
        async with store.reading() as rows:
            statements = await rows._connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
            backends = await rows._connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND backend_type = 'client backend' AND pid <> ALL(:kept)"
                ),
                {"kept": kept_processes()},
            )
        assert statements == 0, "nothing is left behind on a connection that others get"
        assert backends <= BEHIND
    finally:
        await store.close()


async def test_pinned_connections_bypass_pgbouncer(url: str, keys: KeyRing, clock: HandClock) -> None:
    store, heard = Store.at(url, keys), asyncio.Queue[str]()
    listening = asyncio.create_task(Listener(url, heard.put_nowait).run())
    presence = Presence(store, clock, Fence(until=0))
    try:
        async with shared_lock(url) as lock:
            await lock.verify()
            await presence.join()
            assert presence.fence.is_open
            async with asyncio.timeout(10):
                number = 0
                while heard.empty():
                    number += 1
                    async with store.writing() as rows:
                        await rows.inbox.add([Received(number, number, {})], None, clock.now())
                    await asyncio.sleep(0.05)
        assert heard.get_nowait() == WAITING
    finally:
        listening.cancel()
        await asyncio.wait({listening})
        await store.close()
