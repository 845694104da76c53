"""Transactions a second that change one row and are on the disk: Ajar's storage beside the drivers by themselves."""

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import asyncpg
from sqlalchemy import bindparam, make_url, update

from bot.storage.engine import _POOL
from bot.storage.migrate import migrate
from bot.storage.schema import notes
from bot.storage.store import Store
from tests.bench.postgres import durable_postgres
from tests.bench.report import Step
from tests.bench.seeds import ring
from tests.bench.sizes import Sizes
from tests.databases import PostgresServer, sqlite_url

AT_ONCE = 64
CHANGE = update(notes).where(notes.c.name == bindparam("whose")).values(value=bindparam("what"))
AS_TEXT = "UPDATE notes SET value = {0} WHERE name = {1}"

Change = Callable[[str, str], Awaitable[None]]
"""Change the row of this name to this value, in a transaction of its own."""


async def measure(folder: Path, sizes: Sizes, step: Step) -> dict[tuple[str, int], float]:
    """Return transactions a second, by contestant and by how many were at once; all change the same databases."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(durable_postgres())
        contestants = await _contestants(stack, folder / "ajar.db", server)
        rates: dict[tuple[str, int], list[float]] = {
            (name, count): [] for name, (_, *counts) in contestants.items() for count in counts
        }
        for _ in range(sizes.rounds):
            for (name, count), each in rates.items():
                each.append(await _rate(contestants[name][0], count, sizes.commit_seconds))
            step()
    return {key: statistics.median(each) for key, each in rates.items()}


def beside(name: str, at_once: int) -> tuple[str, int]:
    """Return what to compare a contestant with: the driver of its database, with as many at once where it can."""
    return ("sqlite3", 1) if "SQLite" in name or name == "sqlite3" else ("asyncpg", at_once)


async def _contestants(
    stack: AsyncExitStack, file: Path, server: PostgresServer
) -> dict[str, tuple[Change, *tuple[int, ...]]]:
    """Return the contestants, each with how many run at once. One SQLite connection changes one row after another."""
    url = await stack.enter_async_context(server.new())
    stores = [await _store(stack, each) for each in (sqlite_url(file), url)]
    raw = sqlite3.connect(file, isolation_level=None)
    stack.callback(raw.close)
    raw.execute("PRAGMA synchronous=FULL")
    database = make_url(url).database
    pool = await asyncpg.create_pool(
        host=server.socket, user="postgres", database=database, min_size=_POOL, max_size=_POOL
    )
    stack.push_async_callback(pool.close)
    return {
        "Ajar on SQLite": (partial(_by_store, stores[0]), 1, AT_ONCE),
        "sqlite3": (partial(_by_sqlite3, raw), 1),
        "Ajar on PostgreSQL": (partial(_by_store, stores[1]), 1, AT_ONCE),
        "asyncpg": (partial(_by_asyncpg, pool), 1, AT_ONCE),
    }


async def _store(stack: AsyncExitStack, url: str) -> Store:
    await migrate(url)
    store = Store.at(url, ring())
    stack.push_async_callback(store.close)
    async with store.writing() as rows:
        for number in range(AT_ONCE):
            await rows.take_note(f"measured {number}", "")
    return store


async def _by_store(store: Store, name: str, value: str) -> None:
    async with store.writing() as rows:
        await rows._connection.execute(CHANGE, {"whose": name, "what": value})


async def _by_sqlite3(database: sqlite3.Connection, name: str, value: str) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute(AS_TEXT.format("?", "?"), (value, name))
    database.execute("COMMIT")


async def _by_asyncpg(pool: "asyncpg.Pool[asyncpg.Record]", name: str, value: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(AS_TEXT.format("$1", "$2"), value, name)


async def _rate(change: Change, at_once: int, seconds: float) -> float:
    done, began = 0, time.perf_counter()

    async def one_after_the_other(name: str) -> None:
        nonlocal done
        while time.perf_counter() < began + seconds:
            await change(name, str(done))
            done += 1

    await asyncio.gather(*(one_after_the_other(f"measured {number}") for number in range(at_once)))
    return done / (time.perf_counter() - began)
