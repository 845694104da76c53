"""Connections: SQLite with one writer and separate readers, or PostgreSQL with a pool. Nothing else knows which."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.crypto import KeyMismatch
from bot.storage.sqlite import open_connection
from bot.storage.sweeping import Sweeper
from bot.storage.turnstile import Turnstile

_BUSY_TIMEOUT: Final = "PRAGMA busy_timeout=10000"
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an acknowledged Line survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    _BUSY_TIMEOUT,
    "PRAGMA cache_size=-8000",
)
_LOST_A_RACE: Final = ("40001", "40P01")
"""PostgreSQL's states for a transaction that was given up in favour of another one, and may be tried again."""


def is_passing(error: BaseException) -> bool:
    """Whether the same request may be answered later: the database is busy, full or restarting, or the key is wrong."""
    return isinstance(error, OperationalError | InterfaceError | ConnectionError | TimeoutError | KeyMismatch) or (
        isinstance(error, DBAPIError)
        and (error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _LOST_A_RACE)
    )


class Database(Protocol):
    """What both databases offer: a transaction that writes, and one that only reads."""

    def writing(self, user_id: int | None = None) -> Any:
        """A transaction. Of those that name the same user only one runs at a time, in every process."""
        ...

    def reading(self) -> Any: ...

    async def sweep(self) -> bool:
        """Get what was deleted off the disk. Whether nothing of it is left there now; if not, it goes in a while."""
        ...

    def sweep_soon(self) -> None:
        """As `sweep`, in the background."""
        ...

    @property
    def swept(self) -> bool:
        """Whether nothing of what was deleted is left on the disk, as far as this process knows."""
        ...

    async def close(self) -> None: ...


class SqliteDatabase:
    """One writer connection behind a lock, and readers of their own that never wait for it.

    A connection shared without the lock would mix transactions, and a read that turns into a write would fail at once
    with BUSY_SNAPSHOT; hence BEGIN IMMEDIATE.
    """

    def __init__(self, url: str) -> None:
        self._writer = Turnstile(_sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1))
        self._reader = _sqlite_engine(url, begin="BEGIN", pool_size=2)
        self._sweeper = Sweeper(self._empty_log)

    @asynccontextmanager
    async def writing(self, user_id: int | None = None) -> AsyncIterator[AsyncConnection]:  # noqa: ARG002  # one writer
        async with self._writer.writing() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection:
            yield connection

    async def sweep(self) -> bool:
        return await self._sweeper.now()

    def sweep_soon(self) -> None:
        self._sweeper.soon()

    @property
    def swept(self) -> bool:
        return self._sweeper.done

    async def _empty_log(self) -> bool:
        """Copy the log into the database beside whoever writes, and then, with little left to copy, empty it."""
        try:
            async with self._reader.connect() as connection:
                await _visit(connection, _copy_log)
            async with self._writer.alone() as connection:
                return await _visit(connection, _truncate_log)
        except (sqlite3.Error, SQLAlchemyError):  # a full disk, or all readers in use: it is tried again
            return False

    async def close(self) -> None:
        await self._sweeper.close()
        await self._writer.close()
        await self._reader.dispose()


class PostgresDatabase:
    """A pool of connections. A transaction that names a user holds that user's advisory lock, row or no row."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url, pool_size=8, max_overflow=0, pool_pre_ping=True)

    @asynccontextmanager
    async def writing(self, user_id: int | None = None) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            if user_id is not None:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:user_id)"), {"user_id": user_id})
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection

    async def sweep(self) -> bool:
        """Not done here: autovacuum and the recycling of its log overwrite what was deleted."""
        return False

    def sweep_soon(self) -> None:
        """As above."""

    @property
    def swept(self) -> bool:
        return False

    async def close(self) -> None:
        await self._engine.dispose()


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database, None for another kind."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def connect(url: str) -> Database:
    """The database behind `url`; nothing is opened yet."""
    return SqliteDatabase(url) if sqlite_file(url) else PostgresDatabase(url)


async def has_users(url: str) -> bool:
    """Whether the database, of whatever version, holds anybody's rows."""
    if (file := sqlite_file(url)) and not file.is_file():
        return False
    engine = single_engine(url)
    try:
        async with engine.connect() as connection:
            if not await connection.run_sync(lambda known: inspect(known).has_table("users")):
                return False
            return (await connection.execute(text("SELECT 1 FROM users LIMIT 1"))).first() is not None
    finally:
        await engine.dispose()


def single_engine(url: str) -> AsyncEngine:
    """An engine of one connection, for work that has the database to itself."""
    return _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1) if sqlite_file(url) else create_async_engine(url)


async def _visit(connection: AsyncConnection, work: Callable[[sqlite3.Connection], bool]) -> bool:
    raw = await connection.get_raw_connection()
    return bool(await raw.driver_connection.visit(work))  # type: ignore[union-attr]


def _copy_log(connection: sqlite3.Connection) -> bool:
    """As far as no reader needs it; neither waits for the other."""
    return _checkpoint(connection, "PASSIVE")


def _truncate_log(connection: sqlite3.Connection) -> bool:
    """Whether the log is empty now. Waits for nobody, while the connection's own patience would hold up all writers."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        return _checkpoint(connection, "TRUNCATE")
    finally:
        connection.execute(_BUSY_TIMEOUT)


def _checkpoint(connection: sqlite3.Connection, mode: str) -> bool:
    busy, *_ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return not busy


def _sqlite_engine(url: str, *, begin: str, pool_size: int) -> AsyncEngine:
    if (file := sqlite_file(url)) is None:
        raise ValueError("not an SQLite database in a file")
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, async_creator=lambda: open_connection(file))

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.connection.driver_connection.begin_later(begin)

    return engine
