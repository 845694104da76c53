"""SQLite's single writer, shared: transactions work one after the other, and several are committed together.

A commit waits for the disk, often longer than everything else takes, and only one can run at a time. So a transaction
that finishes while others are waiting leaves the commit to the last of them, for at most _ROUND transactions: the more
are waiting, the more share a commit. A round also ends once it has taken much longer than a commit does: otherwise the
first ones, and Telegram with the next updates, would wait for all the others only to spare the disk a little. What
Telegram waits for, new updates, doesn't wait for anybody's turn: it goes first and ends the round. `writing` returns
only after the commit, when the changes are on disk. Each transaction but the first runs in a savepoint, so that
a failure undoes only its own work.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.metrics import COMMIT_SECONDS
from bot.storage.sqlite import SqliteConnection

_ROUND: Final = 64
_COMMITS: Final = 8
"""A round ends after this many times the duration of a commit, even if others are waiting."""
_SHORTEST: Final = 0.02
"""Seconds that every round may take, however quick commits are: each costs the processor as much as two transactions.
With 0.01, 64 people at once were answered up to a tenth more slowly; 0.03 and more gained nothing, or lost."""
_RECENT: Final = 0.2
"""The weight of the latest commit in the average duration of commits."""


class GroupCommit:
    """Lets one writer work at a time. The engine must begin transactions so that no other process can write."""

    def __init__(self, engine: AsyncEngine, committed: Callable[[], None] | None = None) -> None:
        """`committed` is called after each commit, also one that failed."""
        self.engine = engine
        self._committed = committed
        self._lock = _Turns()
        self._waiting = 0
        self._round: _Round | None = None
        self._commit_takes = 0.0  # on average, in seconds
        self._begun = asyncio.Event()
        """Set while there is a round."""

    @property
    def open_for(self) -> float:
        """For how many seconds the current transaction has been open; 0 if there is none."""
        return asyncio.get_running_loop().time() - self._round.began if self._round else 0.0

    @asynccontextmanager
    async def writing(self, *, first: bool = False) -> AsyncIterator[SqliteConnection]:
        """Begin a transaction, and commit it unless there is an exception. Raises the commit's errors.

        One that is to be `first` goes before all that wait, and ends the round.
        """
        async with self._turn(first=first):
            if self._round and self._round.lost:
                await self._commit(self._round)
            current = self._round
            if current is None:
                current = self._round = await _Round.begin(self.engine)
                self._begun.set()
                try:
                    yield current.connection
                    if self._waiting:
                        await current.connection.catch_up()
                except BaseException as error:
                    self._leave_round()
                    await current.undo(error)
                    raise
                if self._waiting and not first:
                    current.ending = asyncio.create_task(self._end(current), name="commit")
            else:
                async with current.saved():
                    yield current.connection
            current.size += 1
            if first or current.size >= _ROUND or current.ending is None or self._is_long:
                await asyncio.shield(self._commit(current))
        await asyncio.shield(current.committed)

    @asynccontextmanager
    async def _turn(self, *, first: bool) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            await self._lock.acquire(first=first)
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    async def share_commit(self, within: float) -> None:
        """Wait until another transaction writes, to share its commit, but at most `within` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._begun.wait()

    @property
    def _is_long(self) -> bool:
        """Whether the current round has taken so long that one more commit hardly matters."""
        return self.open_for > max(_SHORTEST, _COMMITS * self._commit_takes)

    def _leave_round(self) -> None:
        self._round = None
        self._begun.clear()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """Yield the connection outside of any transaction."""
        async with self._lock:
            if self._round:
                await self._commit(self._round)
            async with self.engine.connect() as connection:
                await connection.rollback()
                yield connection

    async def close(self) -> None:
        async with self._lock:
            if self._round:
                await self._commit(self._round)
        await self.engine.dispose()

    async def _end(self, current: "_Round") -> None:
        """Commit after everybody now waiting has had their turn, unless somebody has done so already."""
        async with self._lock:
            if self._round is current:
                await self._commit(current)

    async def _commit(self, current: "_Round") -> None:
        """Commit, and pass the outcome to everybody who took part."""
        self._leave_round()
        began = asyncio.get_running_loop().time()
        try:
            if current.connection.invalidated:
                await current.undo(error := ConnectionError("the transaction was lost"))
                raise error
            await current.transaction.aclose()
        except Exception as error:  # noqa: BLE001  # whatever it is, each of them gets it
            current.committed.set_exception(error)
            current.committed.exception()  # marks it as seen: asyncio needn't warn if nobody waits for it
        else:
            took = asyncio.get_running_loop().time() - began
            COMMIT_SECONDS.observe(took)
            self._commit_takes += _RECENT * (took - self._commit_takes)
            current.committed.set_result(None)
        if self._committed:
            self._committed()


class _Turns:
    """A lock that is served in the order of asking, but for those who go first."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, first: bool = False) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if first else self._waiting.append)(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came at the same moment
                self.release()
            raise

    def release(self) -> None:
        """Hand the lock to the next one that waits and wasn't cancelled."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.release()


class _Round:
    """A transaction that several writers share."""

    def __init__(self, transaction: AsyncExitStack, connection: SqliteConnection) -> None:
        self.connection = connection
        self.size = 0
        self.began = asyncio.get_running_loop().time()
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ending: asyncio.Task[None] | None = None
        self.transaction = transaction

    @classmethod
    async def begin(cls, engine: AsyncEngine) -> "_Round":
        transaction = AsyncExitStack()
        await transaction.enter_async_context(connection := SqliteConnection(engine))
        await transaction.enter_async_context(connection.begin())
        return cls(transaction, connection)

    @property
    def lost(self) -> bool:
        """Whether it can't be used any more: somebody was cancelled during a statement, or SQLite has ended it."""
        return self.connection.invalidated or self.connection.driver.is_given_up

    @asynccontextmanager
    async def saved(self) -> AsyncIterator[None]:
        """Undo the changes in this context if there is an exception."""
        self.connection.forget_prefetched()
        self.connection.driver.save()
        try:
            yield
            await self.connection.catch_up()
        except BaseException:
            if not self.lost:
                self.connection.driver.undo()
            raise
        if not self.lost:
            self.connection.driver.release()

    async def undo(self, error: BaseException) -> None:
        await asyncio.shield(self.transaction.__aexit__(type(error), error, error.__traceback__))
