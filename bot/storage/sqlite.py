"""A connection to SQLite that visits its thread only once per statement.

aiosqlite does all work in a thread per connection, so that a slow disk never holds up the event loop. SQLAlchemy makes
it visit the thread four times for one statement: to make a cursor, execute, fetch and close it. Each visit costs more
than the statement itself. Here one visit does all of it, and the first visit of a transaction also begins it.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from bot.private import make_private, tighten


class _Cursor:
    """What SQLAlchemy needs from a cursor. It fetches all rows at once, as SQLAlchemy would."""

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
        await self._connection.visit(self._run, statement, parameters)

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._connection.visit(self._run_many, statement, parameters)

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []

    def _run(self, connection: sqlite3.Connection, statement: str, parameters: Sequence[Any]) -> None:
        self._connection.begin_if_told(connection)
        self._take(connection.execute(statement, parameters))

    def _run_many(self, connection: sqlite3.Connection, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._connection.begin_if_told(connection)
        self._take(connection.executemany(statement, parameters))

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self._rows = cursor.fetchall()
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with our cursor."""

    _begin: str | None = None

    def begin_later(self, statement: str) -> None:
        """Begin a transaction with `statement` when its first statement is executed."""
        self._begin = statement

    def begin_if_told(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction that `begin_later` asked for, in the connection's thread.

        Raises sqlite3.OperationalError if that fails.
        """
        if self._begin:
            connection.execute(self._begin)
            self._begin = None

    async def visit(self, work: Any, *arguments: Any) -> Any:
        """Run `work` in the connection's thread."""
        return await self._execute(work, self._conn, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> Any:
        return _Cursor(self)

    async def commit(self) -> None:
        """Raises sqlite3.OperationalError if SQLite has given up the transaction on its own, as on a full disk."""
        if self._begin:  # nothing was done in it
            self._begin = None
            return
        if not self._conn.in_transaction:
            raise sqlite3.OperationalError("the transaction was given up")
        await super().commit()

    async def rollback(self) -> None:
        self._begin = None
        if self._conn.in_transaction:
            await super().rollback()


async def open_connection(file: Path) -> Connection:
    """Open a connection that begins and commits only when told to."""

    def connect() -> sqlite3.Connection:
        make_private(file)  # SQLite gives the files beside it the same permissions
        for beside in ("-wal", "-shm"):
            tighten(file.with_name(file.name + beside))
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=256)

    connection = Connection(connect, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: the thread must not keep the process alive
    try:
        await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001  # it would call into a loop that has ended
        raise
    return connection
