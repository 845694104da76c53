"""Database connections: SQLite with one writer and separate readers, or a PostgreSQL pool, behind one interface."""

import asyncio
import random
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from sqlalchemy import URL, Connection, event, inspect, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from bot.metrics import COMMIT_SECONDS
from bot.storage.asides import remove_asides_before, remove_asides_with
from bot.storage.checkpoints import MOST_PAGES, Checkpoints, Log
from bot.storage.group_commit import GroupCommit
from bot.storage.postgres import PostgresConnection
from bot.storage.probing import try_to_write
from bot.storage.sqlite import SqliteConnection, open_connection
from bot.storage.sweeping import Sweeper
from bot.storage.troubles import Unreachable

T = TypeVar("T")

_BUSY_TIMEOUT: Final = "PRAGMA busy_timeout=10000"
_WRITE_AHEAD: Final = "PRAGMA journal_mode=WAL"
_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",  # an acknowledged Line survives a power cut
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # deleted content is overwritten
    _BUSY_TIMEOUT,
    "PRAGMA cache_size=-6000",  # KiB for each connection: with more, a large database takes noticeably more memory
)
_MADE_WITHIN: Final = 2.0
"""Seconds that we wait for another connection that makes the file at the same moment."""
_CHECKPOINT_PAGES: Final = 1_000
"""SQLite's default."""
_POOL: Final = 8
KEEPALIVES: Final = {
    "tcp_keepalives_idle": "30s",
    "tcp_keepalives_interval": "10s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60s",
}
"""With these, PostgreSQL releases the locks of a host that lost power after one minute instead of two hours."""
_LIMITS: Final = {
    "lock_timeout": "1s",  # waiting for a lock occupies a connection
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "10s",  # how long a frozen process can keep rows locked
}
_COMMAND: Final = 20.0
"""Seconds after which we stop waiting for an answer from the server: it may be gone."""
_USER_WAIT: Final = 10.0
"""Seconds to wait for a user's lock."""
_LONGEST: Final = 60.0
"""Seconds: longer than any transaction on SQLite takes."""
_FIRST_LOOK: Final = 0.01
_LAST_LOOK: Final = 0.5


class UserBusy(TimeoutError):
    """Somebody else held this user's lock for too long."""


async def _connect_to_postgres(*arguments: Any, **options: Any) -> Any:
    """Connect. Raises Unreachable for any network error, because SQLAlchemy wouldn't wrap it.

    It also raises Unreachable if none of several hosts accepts writes, as while one is being promoted.
    """
    import asyncpg

    try:
        return await asyncpg.connect(*arguments, **options)
    except (OSError, asyncpg.TargetServerAttributeNotMatched) as error:
        raise Unreachable from error


CREATOR: Final = {"async_creator_fn": _connect_to_postgres}
"""The `connect_args` that make SQLAlchemy connect to PostgreSQL in this way."""


def is_busy(error: BaseException) -> bool:
    """Return whether the error means that somebody else holds this user's lock, which doesn't concern other users."""
    return isinstance(error, UserBusy) or _state(error) == "55P03"


def _state(error: BaseException) -> str:
    """Return PostgreSQL's error code, even if SQLAlchemy hasn't wrapped the error, as with a refused connection."""
    return getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None) or ""


class Connections(NamedTuple):
    """How many connections to the database this process uses, and how many it can have."""

    in_use: int
    size: int


class Database(Protocol):
    """The interface to both databases: transactions that write, and transactions that only read."""

    def writing(self, *user_ids: int, wait: bool = True) -> Any:
        """Begin a transaction. Of those for the same user, only one runs at a time, across all processes.

        Raises UserBusy if that takes too long, or at once if we don't `wait`.
        """
        ...

    def writing_first(self) -> Any:
        """Begin a writing transaction before all others that wait for SQLite's single writer."""
        ...

    async def share_commit(self, within: float) -> None:
        """Wait until another transaction writes, if it can share its commit, but at most `within` seconds."""

    def reading(self) -> Any: ...

    def writing_reserved(self) -> Any:
        """Begin a writing transaction on a connection reserved for signs of life, however many users are waiting."""
        ...

    def reading_reserved(self) -> Any:
        """Begin a reading transaction on a connection reserved for metrics, however many users are waiting."""
        ...

    @property
    def connections(self) -> Connections: ...

    async def is_well(self) -> bool:
        """Return whether the database accepts writes, on a connection that nothing in this process can hold up."""
        ...

    async def sweep(self) -> bool:
        """Remove deleted content from the disk. False if some of it is still there; it goes a little later."""
        ...

    def sweep_soon(self) -> None:
        """Sweep in the background."""
        ...

    @property
    def swept(self) -> bool:
        """Whether no deleted content is left on the disk, as far as this process knows."""
        ...

    async def remove_asides(self, *, before: datetime | None = None, user_id: int | None = None) -> None:
        """Remove files that restores put aside before a moment, or that contain this user."""
        ...

    async def close(self) -> None: ...


class SqliteDatabase:
    """One writer connection behind a lock, and separate reader connections that never wait for it.

    Without the lock, transactions on the shared connection would mix. We use BEGIN IMMEDIATE, because a read that turns
    into a write would fail at once with BUSY_SNAPSHOT.
    """

    def __init__(self, url: str) -> None:
        self._checkpoints = Checkpoints(self._copy_log, self._restart_log)
        writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1, most_pages=MOST_PAGES)
        self._writer = GroupCommit(writer, self._checkpoints.committed)
        self._reader = _sqlite_engine(url, begin="BEGIN", pool_size=2)
        self._copier = _sqlite_engine(url, begin="BEGIN", pool_size=1)
        self._copying = asyncio.Lock()
        self._sweeper = Sweeper(self._empty_log)
        self._file = sqlite_file(url) or Path()

    def writing(self, *user_ids: int, wait: bool = True) -> AbstractAsyncContextManager[AsyncConnection]:  # noqa: ARG002  # one writer
        return self._writer.writing()

    def writing_first(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._writer.writing(first=True)

    async def share_commit(self, within: float) -> None:
        await self._writer.share_commit(within)

    def writing_reserved(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self._writer.writing()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with SqliteConnection(self._reader) as connection, connection.begin():
            yield connection

    reading_reserved = reading

    @property
    def connections(self) -> Connections:
        return _connections(self._writer.engine, self._reader)

    async def is_well(self) -> bool:
        """Count the database as well if this process itself has held the writer for longer than a transaction takes."""
        try:
            free = await asyncio.to_thread(try_to_write, self._file)
        except sqlite3.Error:
            return False
        return free or self._writer.open_for > _LONGEST

    async def sweep(self) -> bool:
        return await self._sweeper.now()

    def sweep_soon(self) -> None:
        self._sweeper.soon()

    @property
    def swept(self) -> bool:
        return self._sweeper.done

    async def remove_asides(self, *, before: datetime | None = None, user_id: int | None = None) -> None:
        if before is not None:
            await asyncio.to_thread(remove_asides_before, self._file, before)
        if user_id is not None:
            await asyncio.to_thread(remove_asides_with, self._file, user_id)

    async def _copy_log(self) -> Log | None:
        """Copy the log into the database while others write, as much as no reader needs. None if that fails."""
        try:
            async with self._copying, self._copier.connect() as connection:
                return await _visit(connection, _copy_log)
        except (sqlite3.Error, SQLAlchemyError):  # a full disk: we try again after the next commit
            return None

    async def _restart_log(self) -> bool:
        """Copy the rest of the log while nobody writes, so that it begins anew."""
        return await self._alone(_restart_log)

    async def _empty_log(self) -> bool:
        """Copy the log into the database while others write, then empty it when little is left to copy."""
        await self._copy_log()
        return await self._alone(_truncate_log)

    async def _alone(self, work: Callable[[sqlite3.Connection], bool]) -> bool:
        """Do some work while nobody writes. Return whether it succeeded."""
        try:
            async with self._copying, self._writer.alone() as connection:
                return await _visit(connection, work)
        except (sqlite3.Error, SQLAlchemyError):  # a full disk: we try again later
            return False

    async def close(self) -> None:
        await self._checkpoints.close()
        await self._sweeper.close()
        await self._writer.close()
        await self._copier.dispose()
        await self._reader.dispose()


class PostgresDatabase:
    """A pool of connections. A transaction for a user holds an advisory lock, even if the user has no row yet."""

    def __init__(self, url: str) -> None:
        self._engine = _postgres_engine(url, _POOL, begins=True)
        self._health = _postgres_engine(url, 2)
        self._limits = f"{_SET_LIMITS};" if _pooler(url) else ""

    @asynccontextmanager
    async def writing(self, *user_ids: int, wait: bool = True) -> AsyncIterator[AsyncConnection]:
        """Begin a transaction. Raises UserBusy.

        While it waits for a user's lock it holds no connection, so that others can use it.
        """
        loop = asyncio.get_running_loop()
        began, look = loop.time(), _FIRST_LOOK
        while (connection := await self._begin(*user_ids)) is None:
            if not wait or loop.time() - began > _USER_WAIT:
                raise UserBusy
            await asyncio.sleep(look * random.uniform(0.5, 1))
            look = min(2 * look, _LAST_LOOK)
        try:
            yield connection
            await connection.catch_up()
            ended = loop.time()
            await connection.commit()
            COMMIT_SECONDS.observe(loop.time() - ended)
        finally:
            await asyncio.shield(connection.close())

    def writing_first(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.writing()

    async def _begin(self, *user_ids: int) -> PostgresConnection | None:
        """Begin a transaction; None if somebody else holds the lock of one of these users.

        That is the first to find out that a connection was lost while nobody used it. Then another one takes its place.
        """
        try:
            return await self._begin_once(user_ids)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await self._begin_once(user_ids)

    async def _begin_once(self, user_ids: Sequence[int]) -> PostgresConnection | None:
        connection = PostgresConnection(self._engine)
        await connection.start()
        ours = False
        try:
            await connection.begin()
            ours = await connection.begun(self._limits, user_ids)
        finally:
            if not ours:
                await asyncio.shield(connection.close())
        return connection if ours else None

    async def share_commit(self, within: float) -> None:
        """Return at once: transactions share no commit."""

    @asynccontextmanager
    async def writing_reserved(self) -> AsyncIterator[AsyncConnection]:
        async with PostgresConnection(self._health) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        connection = await self._begin()
        if connection is None:
            raise RuntimeError("there is no lock to wait for")
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())

    @asynccontextmanager
    async def reading_reserved(self) -> AsyncIterator[AsyncConnection]:
        async with PostgresConnection(self._health) as connection:
            yield connection

    @property
    def connections(self) -> Connections:
        return _connections(self._engine, self._health)

    async def is_well(self) -> bool:
        try:
            async with asyncio.timeout(_COMMAND), self._health.begin() as connection:
                return not await connection.scalar(_IS_READ_ONLY)
        except Exception:  # noqa: BLE001  # whatever the error is, the database isn't well
            return False

    async def sweep(self) -> bool:
        """Do nothing: autovacuum and the recycling of PostgreSQL's log overwrite deleted content."""
        return False

    def sweep_soon(self) -> None:
        """Do nothing, like `sweep`."""

    @property
    def swept(self) -> bool:
        return False

    async def remove_asides(self, *, before: datetime | None = None, user_id: int | None = None) -> None:
        """Do nothing: a restore into PostgreSQL puts nothing aside."""

    async def close(self) -> None:
        await self._engine.dispose()
        await self._health.dispose()


def _connections(*engines: AsyncEngine) -> Connections:
    pools: list[Any] = [engine.pool for engine in engines]
    return Connections(sum(pool.checkedout() for pool in pools), sum(pool.size() for pool in pools))


_IS_READ_ONLY: Final = text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")
_SET_LIMITS: Final = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _LIMITS.items())
"""Sets for a transaction what a pooler doesn't let us set for a connection."""
_STATEMENTS: Final = {
    "statement_cache_size": 400,
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
}
"""A connection keeps this many statements prepared, for good, and however long they are."""
POOLER: Final = "pgbouncer"
"""The URL parameter that names a PgBouncer in transaction mode, to run transactions through."""


def _postgres_engine(url: str, size: int, *, begins: bool = False) -> AsyncEngine:
    """Return an engine. `begins` says that PostgresConnection begins its transactions."""
    pooler = _pooler(url)
    options: dict[str, Any] = {"command_timeout": _COMMAND, **CREATOR}
    if pooler is None:
        options |= {**_STATEMENTS, "server_settings": {**_LIMITS, **KEEPALIVES}}
    else:  # each transaction may run on another connection, so nothing may stay on one
        options |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    engine = create_async_engine(
        pooler or direct(url), pool_size=size, max_overflow=0, pool_pre_ping=not begins, connect_args=options
    )
    if pooler is not None and not begins:
        event.listen(engine.sync_engine, "begin", _set_limits)

    @event.listens_for(engine.sync_engine, "connect")
    def _keep_alive(connection: Any, _record: object) -> None:
        transport = getattr(connection.driver_connection, "_transport", None)  # asyncpg offers no other way
        found = transport.get_extra_info("socket") if transport else None
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
                if hasattr(socket, option):  # not in every operating system
                    found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    return engine


def _set_limits(connection: Connection) -> None:
    connection.exec_driver_sql(_SET_LIMITS)


def direct(url: str) -> str:
    """Return the URL of the database itself, for what needs a lasting connection, like a lock or LISTEN."""
    return make_url(url).difference_update_query([POOLER]).render_as_string(hide_password=False)


def _pooler(url: str) -> URL | None:
    """Return the URL of the database through PgBouncer, if there is one."""
    parsed = make_url(url)
    if not (place := parsed.query.get(POOLER)):
        return None
    host, _, port = str(place).rpartition(":")
    behind = parsed.difference_update_query([POOLER, "host", "port", "target_session_attrs"])
    if host.startswith("/"):
        return behind.set(host=None, port=int(port)).update_query_dict({"host": host})
    return behind.set(host=host.strip("[]"), port=int(port))


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def connect(url: str) -> Database:
    """Return the database behind `url`, without opening anything yet."""
    return SqliteDatabase(url) if sqlite_file(url) else PostgresDatabase(url)


async def has_users(url: str) -> bool:
    """Return whether the database, whatever its version, has any users."""
    if (file := sqlite_file(url)) and not file.exists():
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
    """Return an engine with one connection, for work that has the database to itself."""
    if sqlite_file(url):
        return _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
    return create_async_engine(direct(url), connect_args={"server_settings": KEEPALIVES, **CREATOR})


async def _visit(connection: AsyncConnection, work: Callable[[sqlite3.Connection], T]) -> T:
    raw = await connection.get_raw_connection()
    done: T = await raw.driver_connection.work(work)  # type: ignore[union-attr]
    return done


def _copy_log(connection: sqlite3.Connection) -> Log:
    """Copy as much of the log as no reader still needs, without waiting."""
    _, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return Log(pages, copied)


def _restart_log(connection: sqlite3.Connection) -> bool:
    """Copy the log so that it begins anew with the next commit; True if it does."""
    return _checkpoint(connection, "RESTART")


def _truncate_log(connection: sqlite3.Connection) -> bool:
    """Empty the log; True if it is empty."""
    return _checkpoint(connection, "TRUNCATE")


def _checkpoint(connection: sqlite3.Connection, mode: str) -> bool:
    """Return whether all is copied. It doesn't wait, since the usual busy timeout would hold up all writers."""
    connection.execute("PRAGMA busy_timeout=0")
    try:
        busy, *_ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        return not busy
    finally:
        connection.execute(_BUSY_TIMEOUT)


def _write_ahead(cursor: Any) -> None:
    """Use a write-ahead log. Where SQLite would have to wait for another connection to make the file, it fails."""
    until = time.monotonic() + _MADE_WITHIN
    while True:
        try:
            cursor.execute(_WRITE_AHEAD)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            await_only(asyncio.sleep(0.01))
        else:
            return


def _sqlite_engine(url: str, *, begin: str, pool_size: int, most_pages: int = _CHECKPOINT_PAGES) -> AsyncEngine:
    """Return an engine whose connections copy the log within a commit once it has `most_pages`."""
    if (file := sqlite_file(url)) is None:
        raise ValueError("not an SQLite database in a file")
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # while one reader is enough, the caches of the others stay empty
        async_creator=lambda: open_connection(file),
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        _write_ahead(cursor)
        for pragma in (*_PRAGMAS, f"PRAGMA wal_autocheckpoint={most_pages}"):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.connection.driver_connection.begin_later(begin)

    return engine
