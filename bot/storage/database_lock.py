"""The lock on a database, held by running bots (several of them with PostgreSQL) or by a single command.

For SQLite it is a lock on a file beside the database, which the operating system releases when the process dies. For
PostgreSQL it is an advisory lock on a dedicated connection: bots share it, and a command that changes keys holds it
alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Protocol

import structlog
from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.logs import safe_error
from bot.storage.backup import InUse, sole_user
from bot.storage.engine import CREATOR, KEEPALIVES, direct, sqlite_file

_LOCK: Final = "1634361714, 1"
"""Two numbers, so that they can't clash with the single ones for users and migrations. The first spells "ajar"."""
_CHANGING: Final = "pg_try_advisory_lock(1634361714, 2)"
_SHARED: Final = f"pg_try_advisory_lock_shared({_LOCK})"
_ALONE: Final = f"pg_try_advisory_lock({_LOCK})"
_LOOK: Final = 15.0
"""How often we check that the lock is still there, in seconds."""
_PATIENCE: Final = 10.0

log = structlog.stdlib.get_logger(__name__)


class LockLost(Exception):
    """The connection that held the lock is gone, and somebody else may hold it now."""

    def __init__(self) -> None:
        super().__init__(
            "The connection to the database was lost in between. Nothing is lost by that; type the command again."
        )


class DatabaseLock(Protocol):
    """A held lock on a database."""

    async def verify(self) -> None:
        """Raise LockLost if it is lost."""
        ...

    def if_alone(self) -> AbstractAsyncContextManager[bool]:
        """Yield whether nobody else is using the database. If so, nobody else can begin to until the context ends."""
        ...


@asynccontextmanager
async def shared_lock(url: str) -> AsyncIterator[DatabaseLock]:
    """Lock the database for a running bot. If the connection breaks, take the lock again. Raises InUse."""
    if file := sqlite_file(url):
        with sole_user(file):
            yield _OfFile()
        return
    async with _OfConnection.taken(url, _SHARED) as lock:
        keeping = asyncio.create_task(lock.keep(), name="database lock")
        try:
            yield lock
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


@asynccontextmanager
async def exclusive_lock(url: str) -> AsyncIterator[DatabaseLock]:
    """Lock the database for a command that changes keys, keeping out bots and other such commands. Raises InUse."""
    if file := sqlite_file(url):
        with sole_user(file):
            yield _OfFile()
        return
    async with _OfConnection.taken(url, _ALONE) as lock:
        yield lock


@asynccontextmanager
async def key_lock(url: str) -> AsyncIterator[None]:
    """Let only one command at a time change keys, whichever machine it runs on. Raises InUse.

    Commands for an SQLite database share a key file, which is locked anyway.
    """
    async with AsyncExitStack() as stack:
        if sqlite_file(url) is None:
            await stack.enter_async_context(_OfConnection.taken(url, _CHANGING))
        yield


class _OfFile:
    async def verify(self) -> None:
        """Do nothing: the lock lasts as long as the process."""

    @asynccontextmanager
    async def if_alone(self) -> AsyncIterator[bool]:
        yield True


class _OfConnection:
    def __init__(self, url: str, lock: str) -> None:
        self._engine = create_async_engine(
            direct(url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": KEEPALIVES, **CREATOR},
        )
        self._lock = lock
        self._connection: AsyncConnection | None = None
        self._asking = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def taken(cls, url: str, lock: str) -> AsyncIterator["_OfConnection"]:
        held = cls(url, lock)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(held._engine.dispose)
            stack.push_async_callback(held._let_go)
            if not await held._take():
                raise InUse("the database")
            yield held

    async def keep(self) -> None:
        """Take the lock again whenever it is lost, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await self.verify()
            except LockLost:
                log.error("lock.lost")
                await self._take_again()
                log.warning("lock.taken_again")

    async def verify(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                if self._connection is None or not await self._is_true("pg_backend_pid() > 0"):
                    raise LockLost
        except (DBAPIError, OSError, TimeoutError):
            raise LockLost from None

    @asynccontextmanager
    async def if_alone(self) -> AsyncIterator[bool]:
        alone = await self._is_true(_ALONE)
        try:
            yield alone
        finally:
            if alone:
                await self._is_true(f"pg_advisory_unlock({_LOCK})")

    async def _take(self) -> bool:
        self._connection = await self._engine.connect()
        return await self._is_true(self._lock)

    async def _take_again(self) -> None:
        while True:
            await self._let_go(lost=True)
            try:
                async with asyncio.timeout(_PATIENCE):
                    if await self._take():
                        return
                log.error("lock.refused")  # a command that changes keys holds it
            except Exception as error:  # noqa: BLE001  # a database that is coming back can fail in any way
                log.error("lock.waits", error=safe_error(error))
            await asyncio.sleep(_LOOK)

    async def _let_go(self, *, lost: bool = False) -> None:
        """Close the connection, which frees the lock unless the connection was lost."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if lost:
                await connection.invalidate()
            await connection.close()

    async def _is_true(self, expression: str) -> bool:
        async with self._asking:
            if self._connection is None:
                raise LockLost
            return bool((await self._connection.execute(text(f"SELECT {expression}"))).scalar_one())
