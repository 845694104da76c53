"""The lock on a database, held by running bots (several of them with PostgreSQL) or by a single command.

For SQLite it is a lock on a file beside the database, which the operating system releases when the process dies. For
PostgreSQL it is an advisory lock on a dedicated connection: bots share it, and a command that changes keys holds it
alone.

On PostgreSQL bots also share a second lock while they serve, and take a third one, one after the other, to prepare for
that. So the first one knows that it is the first, and the others wait while it ends again what a dump that was put back
lacks.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Protocol

import structlog
from sqlalchemy import NullPool, text
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.logs import safe_error
from bot.storage.backup import InUse, sole_user
from bot.storage.engine import CREATOR, KEEPALIVES, direct, sqlite_file
from bot.storage.troubles import Taken, Unreachable

_LOCK: Final = "1634361714, 1"
"""Two numbers, so that they can't clash with the single ones for users. The first spells "ajar"; migrations have 5."""
_CHANGING: Final = "pg_try_advisory_lock(1634361714, 2)"
_STARTING: Final = "1634361714, 3"
_SERVING: Final = "1634361714, 4"
_SHARED: Final = f"pg_try_advisory_lock_shared({_LOCK})"
_ALONE: Final = f"pg_try_advisory_lock({_LOCK})"
_SERVES: Final = f"pg_try_advisory_lock_shared({_SERVING})"
_LOOK: Final = 15.0
"""How often we check that the lock is still there, in seconds."""
_PATIENCE: Final = 10.0
_LOOK_SOON: Final = 0.1
_QUIETLY: Final = 3.0
"""Seconds that a bot waits for another one that starts, which is usually ready by then, before it says so."""
_COMMAND_RUNS: Final = "A command that changes keys or moves rows has the database to itself. The bot starts after it."
_ANOTHER_STARTS: Final = (
    "Another bot has started first, and looks whether anything has to end again in this database. This one starts then."
)

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

    def before_serving(self) -> AbstractAsyncContextManager[bool]:
        """Yield whether no other bot serves yet; if so, none can begin to until the context ends.

        From then on this one counts as serving. Raises Taken while another one is the first.
        """
        ...


@asynccontextmanager
async def shared_lock(url: str) -> AsyncIterator[DatabaseLock]:
    """Lock the database for a running bot. If the connection breaks, take the lock again. Raises InUse, Taken."""
    if file := sqlite_file(url):
        with sole_user(file):
            yield _OfFile()
        return
    async with _OfConnection.taken(url, _SHARED, or_else=Taken(_COMMAND_RUNS)) as lock:
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
    async with _OfConnection.taken(url, _ALONE, or_else=InUse("the database")) as lock:
        yield lock


@asynccontextmanager
async def key_lock(url: str) -> AsyncIterator[None]:
    """Let only one command at a time change keys, whichever machine it runs on. Raises InUse.

    Commands for an SQLite database share a key file, which is locked anyway.
    """
    async with AsyncExitStack() as stack:
        if sqlite_file(url) is None:
            busy = InUse("the keys of this database", "Wait until it has ended.")
            await stack.enter_async_context(_OfConnection.taken(url, _CHANGING, or_else=busy))
        yield


class _OfFile:
    async def verify(self) -> None:
        """Do nothing: the lock lasts as long as the process."""

    @asynccontextmanager
    async def before_serving(self) -> AsyncIterator[bool]:
        yield True


class _OfConnection:
    def __init__(self, url: str, lock: str) -> None:
        self._engine = create_async_engine(
            direct(url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"server_settings": KEEPALIVES, **CREATOR},
        )
        self._locks = [lock]
        """What a new connection has to take again."""
        self._connection: AsyncConnection | None = None
        self._asking = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def taken(cls, url: str, lock: str, *, or_else: Exception) -> AsyncIterator["_OfConnection"]:
        """Hold a lock. Raises `or_else` if somebody else has it."""
        held = cls(url, lock)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(held._engine.dispose)
            stack.push_async_callback(held._let_go)
            if not await held._take():
                raise or_else
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
        except (SQLAlchemyError, OSError, TimeoutError):
            raise LockLost from None

    @asynccontextmanager
    async def before_serving(self) -> AsyncIterator[bool]:
        await self._wait_for_other_starts()
        first = False
        try:
            first = await self._has(f"pg_try_advisory_lock({_SERVING})")
            yield first
            if not await self._has(_SERVES):  # our connection broke meanwhile, and another bot is the first now
                raise Taken(_ANOTHER_STARTS)
            if _SERVES not in self._locks:
                self._locks.append(_SERVES)
        finally:
            if first:
                await self._has(f"pg_advisory_unlock({_SERVING})")
            await self._has(f"pg_advisory_unlock({_STARTING})")

    async def _wait_for_other_starts(self) -> None:
        began = time.monotonic()
        while not await self._has(f"pg_try_advisory_lock({_STARTING})"):
            if time.monotonic() - began > _QUIETLY:
                raise Taken(_ANOTHER_STARTS)
            await asyncio.sleep(_LOOK_SOON)

    async def _has(self, lock: str) -> bool:
        """Take or release a lock. Raises Unreachable if the connection is lost; `keep` makes another one."""
        try:
            return await self._is_true(lock)
        except (LockLost, InvalidRequestError):
            raise Unreachable from None

    async def _take(self) -> bool:
        self._connection = await self._engine.connect()
        return all([await self._is_true(lock) for lock in self._locks])

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
