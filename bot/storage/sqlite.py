"""A connection to SQLite that visits its thread once a statement.

aiosqlite does all work in a thread of the connection's own, so that a slow disk never holds up the event loop. Used by
SQLAlchemy it goes there four times for one statement: to make a cursor, execute, fetch and close it. Each visit costs
more than the statement itself. Here one visit does all of it, and the first of a transaction begins it too.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from bot.private import make_private, tighten


class _Cursor:
    """What SQLAlchemy wants of a cursor. All rows are fetched at once, as it would do."""

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
    """aiosqlite's connection with that cursor."""

    _begin: str | None = None

    def begin_later(self, statement: str) -> None:
        """Begin a transaction by `statement` when the first one of it is executed."""
        self._begin = statement

    def begin_if_told(self, connection: sqlite3.Connection) -> None:
        """In the connection's thread: begin what is to begin. Raises sqlite3.OperationalError where it can't be."""
        if self._begin:
            connection.execute(self._begin)
            self._begin = None

    async def visit(self, work: Any, *arguments: Any) -> Any:
        """Let `work` run in the connection's thread."""
        return await self._execute(work, self._conn, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> Any:
        return _Cursor(self)

    async def commit(self) -> None:
        """Raises sqlite3.OperationalError where SQLite has given the transaction up by itself, as on a full disk."""
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
        make_private(file)  # what SQLite puts beside it has the same rights as the file itself
        for beside in ("-wal", "-shm"):
            tighten(file.with_name(file.name + beside))
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=256)

    connection = Connection(connect, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: a thread must not keep the process alive
    try:
        await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001  # it would speak to a loop that has ended
        raise
    return connection
