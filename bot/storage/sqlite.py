"""A connection to SQLite that makes as few trips to its thread as possible.

aiosqlite does all work in a thread per connection, so that a slow disk never holds up the event loop. SQLAlchemy makes
it visit the thread four times per statement: to create a cursor, execute, fetch and close it. Each visit costs more
than the statement itself. Here one visit does all of it, together with work put off until then: beginning a
transaction, setting and releasing its savepoints, and writes whose outcome nobody waits for (`bot/storage/direct.py`).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self, cast

import aiosqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.private import make_private, tighten
from bot.storage.direct import DirectConnection
from bot.storage.prepared import Found, Prepared

_Step = tuple[str, Sequence[Any]]
_Rows = list[Any]

_SAVEPOINT: Final[_Step] = ("SAVEPOINT turn", ())
_RELEASE: Final[_Step] = ("RELEASE turn", ())
_ROLL_BACK: Final[_Step] = ("ROLLBACK TO turn", ())
_MARKS: Final = (_SAVEPOINT, _RELEASE, _ROLL_BACK)


class _Cursor:
    """The part of a cursor that SQLAlchemy needs. It fetches all rows at once, as SQLAlchemy would."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._take(*await self._connection.work(_executed, statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._take(*await self._connection.work(_executed_many, statement, parameters))

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []

    def _take(self, rows: list[Any], cursor: sqlite3.Cursor) -> None:
        self._rows = rows
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid


def _executed(
    connection: sqlite3.Connection, statement: str, parameters: Sequence[Any]
) -> tuple[list[Any], sqlite3.Cursor]:
    cursor = connection.execute(statement, parameters)
    return cursor.fetchall(), cursor


def _executed_many(
    connection: sqlite3.Connection, statement: str, parameters: Iterable[Sequence[Any]]
) -> tuple[list[Any], sqlite3.Cursor]:
    cursor = connection.executemany(statement, parameters)
    return cursor.fetchall(), cursor


def _read_and(
    connection: sqlite3.Connection, reads: Iterable[_Step], work: Callable[..., Any], *arguments: Any
) -> tuple[list[_Rows], Any]:
    cursor = connection.cursor()  # the same for all, as making one takes a tenth of executing with it
    return [cursor.execute(*read).fetchall() for read in reads], work(connection, *arguments)


def _nothing(_connection: sqlite3.Connection) -> None:
    pass


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with our cursor."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._begin: str | None = None
        self._first: list[_Step] = []  # the next visit executes these first

    def begin_later(self, statement: str) -> None:
        """Begin a transaction with `statement` as soon as something is executed in it."""
        self._begin = statement
        self._first = [(statement, ())]

    def save(self) -> None:
        """Set a savepoint within the transaction; there is at most one at a time."""
        self._first.append(_SAVEPOINT)

    def release(self) -> None:
        """Release the savepoint, keeping the changes since."""
        if self._first[-1:] == [_SAVEPOINT]:
            self._first.pop()
        else:
            self._first.append(_RELEASE)

    def undo(self) -> None:
        """Roll back to the savepoint."""
        if _SAVEPOINT in self._first:
            del self._first[self._first.index(_SAVEPOINT) :]
        else:
            self._first = [_ROLL_BACK, _RELEASE]

    def write_later(self, statement: str, parameters: Sequence[Any]) -> None:
        """Execute a statement at the next visit, which raises its errors."""
        self._first.append((statement, parameters))

    @property
    def has_to_write(self) -> bool:
        """Whether writes wait for the next visit."""
        return any(step not in _MARKS and step[0] != self._begin for step in self._first)

    @property
    def is_given_up(self) -> bool:
        """Whether SQLite has ended the transaction on its own, as on a full disk."""
        return self._begin is None and not self._conn.in_transaction

    async def work(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run `work` in the connection's thread, after what waits for the next visit, like a transaction's begin.

        Raises sqlite3.OperationalError if the transaction can't begin, or SQLite has ended it.
        """
        first, self._first, self._begin = self._first, [], None
        return await self._execute(_after, self._conn, first, work, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> Any:
        return _Cursor(self)

    async def commit(self) -> None:
        """Commit. Raises sqlite3.OperationalError if SQLite has ended the transaction on its own."""
        if self._begin and not self.has_to_write:  # the transaction is empty
            self._begin, self._first = None, []
            return
        if self.is_given_up:
            raise sqlite3.OperationalError("the transaction was given up")
        await self.work(sqlite3.Connection.commit)

    async def rollback(self) -> None:
        self._begin, self._first = None, []
        if self._conn.in_transaction:
            await super().rollback()


def _after(connection: sqlite3.Connection, first: Sequence[_Step], work: Callable[..., Any], *arguments: Any) -> Any:
    cursor = connection.cursor()
    for step in first:
        if step is _SAVEPOINT and not connection.in_transaction:  # SQLite would begin a new transaction
            raise sqlite3.OperationalError("the transaction was given up")
        cursor.execute(*step)
    return work(connection, *arguments)


class SqliteConnection(DirectConnection):
    """A connection whose trips are visits to SQLite's thread."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._driver: Connection | None = None

    async def _execute(self, ready: Prepared, parameters: Sequence[Any]) -> Found:
        key = ready.text, parameters
        if key in self._to_prefetch:
            await self._work(_nothing)
        if known := self._prefetched.get(key):
            return ready.result(known[1], -1)
        rows, cursor = await self._work(_executed, *key)
        self._forget_changed(ready)
        return ready.result(rows, cursor.rowcount)

    @property
    def driver(self) -> Connection:
        """The connection to SQLite. Raises RuntimeError if it isn't open."""
        if self._driver is None:
            if self.sync_connection is None:
                raise RuntimeError("the connection is not open")
            self._driver = cast("Connection", self.sync_connection.connection.driver_connection)
        return self._driver

    def _write_later(self, ready: Prepared, parameters: Sequence[Any]) -> None:
        self.driver.write_later(ready.text, parameters)

    async def catch_up(self) -> None:
        self.forget_prefetched()
        if self._is_ready and self.driver.has_to_write:
            await self._work(_nothing)

    async def _work(self, work: Callable[..., Any], *arguments: Any) -> Any:
        wanted, self._to_prefetch = self._to_prefetch, {}
        try:
            read, result = await self.driver.work(_read_and, list(wanted), work, *arguments)
        except sqlite3.Error as error:
            statement = arguments[0] if arguments else None
            raise DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=self.dialect) from error
        except Exception:  # a value that SQLite doesn't accept: the statement hasn't begun
            raise
        except BaseException as error:  # cancelled: a statement may still be running
            self._driver = None
            await asyncio.shield(self.invalidate(error))
            raise
        for (key, (ready, prefetched)), rows in zip(wanted.items(), read, strict=True):
            prefetched[key] = ready, rows
        return result


async def open_connection(file: Path) -> Connection:
    """Open a connection that begins and commits only when told to."""

    def connect() -> sqlite3.Connection:
        make_private(file)  # SQLite gives the files beside it the same permissions
        for beside in ("-wal", "-shm"):
            tighten(file.with_name(file.name + beside))
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=256)

    connection = Connection(connect)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: the thread must not keep the process alive
    try:
        await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001  # it would call into a loop that has ended
        raise
    return connection
