"""Connections: SQLite with one writer and separate readers, or PostgreSQL with a pool. Nothing else knows which."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.storage.sqlite import open_connection
from bot.storage.turnstile import Turnstile

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an acknowledged Line survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-8000",
)
_LOST_A_RACE: Final = ("40001", "40P01")
"""PostgreSQL's states for a transaction that was given up in favour of another one, and may be tried again."""


def is_passing(error: BaseException) -> bool:
    """Whether the database may answer the same request later: it is busy, full or restarting."""
    return isinstance(error, OperationalError | InterfaceError | ConnectionError | TimeoutError) or (
        isinstance(error, DBAPIError)
        and (error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _LOST_A_RACE)
    )


class Database(Protocol):
    """What both databases offer: a transaction that writes, and one that only reads."""

    def writing(self, user_id: int | None = None) -> Any:
        """A transaction. Of those that name the same user only one runs at a time, in every process."""
        ...

    def reading(self) -> Any: ...

    async def tidy(self) -> None:
        """Hand back to the disk what deleted rows have left behind."""
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

    @asynccontextmanager
    async def writing(self, user_id: int | None = None) -> AsyncIterator[AsyncConnection]:  # noqa: ARG002  # one writer
        async with self._writer.writing() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection:
            yield connection

    async def tidy(self) -> None:
        async with self._writer.alone() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    async def close(self) -> None:
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

    async def tidy(self) -> None:
        """Autovacuum does it."""

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
    """Whether the database, which must be migrated, holds anybody's rows."""
    engine = single_engine(url)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT 1 FROM users LIMIT 1"))).first() is not None
    finally:
        await engine.dispose()


def single_engine(url: str) -> AsyncEngine:
    """An engine of one connection, for work that has the database to itself."""
    return _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1) if sqlite_file(url) else create_async_engine(url)


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
