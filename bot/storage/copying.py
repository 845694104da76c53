"""Copies all rows of a database into another one, SQLite or PostgreSQL, and compares the two row by row.

Rows are copied as stored, without passing through our column types, some of which round. The tables, and an order that
their foreign keys allow, come from the schema. Each batch is committed together with how far copying got, so that an
interrupted copy resumes there. Callers must hold the locks of both databases.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    TypeDecorator,
    delete,
    func,
    insert,
    literal,
    make_url,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.engine import single_engine, sqlite_file
from bot.storage.moved import ARRIVING, MOVED, UNFINISHED, Moved, gone, noted
from bot.storage.schema import master_keys, metadata, notes, processes

_MOST_ROWS: Final = 500
_MOST_BYTES: Final = 4 << 20
"""The most bytes in a batch, unless a single row is longer."""

_OF_THE_BOT: Final = {notes.name, master_keys.name, processes.name}
"""Tables that a bot writes to even before it has any users."""

Progress = Callable[[int, int], None]
"""Called with how many rows have been copied or compared so far, and how many there are to copy and compare."""
Verify = Callable[[], Awaitable[None]]
"""Raises if the lock of one of the databases is lost."""


class NotEmpty(Exception):
    """The target has rows of its own."""


class Differs(Exception):
    """Copied rows differ from those in the source. The message names the table."""


class TargetFailed(Exception):
    """An operation on the target failed. The cause says why."""


class _StoredTable:
    """A table as both databases store it: whole numbers, texts and bytes."""

    def __init__(self, table: Table) -> None:
        columns = [Column(each.name, _stored_type(each), primary_key=each.primary_key) for each in table.columns]
        self.table: Final = Table(table.name, MetaData(), *columns)
        self.place: Final = tuple(self.table.primary_key.columns)
        """The primary key, in whose order we go through the rows."""
        self._positions: Final = [list(self.table.columns).index(column) for column in self.place]

    @property
    def name(self) -> str:
        return self.table.name

    def of_rows(self, query: Select[Any]) -> Select[Any]:
        """Leave out the notes about copying itself."""
        return query.where(self.table.c.name.not_in((MOVED, ARRIVING))) if self.name == notes.name else query

    def after(self, place: Sequence[Any] | None, limit: int) -> Select[Any]:
        query = self.of_rows(select(self.table)).order_by(*self.place).limit(limit)
        if not place:
            return query
        bound = (literal(value, column.type) for column, value in zip(self.place, place, strict=True))
        return query.where(tuple_(*self.place) > tuple_(*bound))

    def at(self, places: Sequence[tuple[Any, ...]]) -> Select[Any]:
        if len(self.place) == 1:
            return select(self.table).where(self.place[0].in_([place for (place,) in places]))
        return select(self.table).where(tuple_(*self.place).in_(places))

    def place_of(self, row: Any) -> tuple[Any, ...]:
        return tuple(row[position] for position in self._positions)

    async def count(self, connection: AsyncConnection) -> int:
        query = self.of_rows(select(func.count()).select_from(self.table))
        return int((await connection.execute(query)).scalar_one())

    async def longest(self, connection: AsyncConnection) -> int:
        """Return roughly the most bytes that a row takes."""
        lengths = [func.coalesce(func.length(each), 0) for each in self.table.c if isinstance(each.type, _LONG)]
        if not lengths:
            return 1
        return (await connection.execute(select(func.max(sum(lengths[1:], lengths[0]))))).scalar_one() or 1

    async def batches(
        self, connection: AsyncConnection, limit: int, after: Sequence[Any] | None = None
    ) -> AsyncIterator[list[Any]]:
        while rows := list(await connection.execute(self.after(after, limit))):
            yield rows
            after = self.place_of(rows[-1])


_LONG: Final = (Text, LargeBinary)


def _stored_type(column: Column[Any]) -> Any:
    return column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type


TABLES: Final = tuple(map(_StoredTable, metadata.sorted_tables))
"""All tables, each after the ones that it refers to."""


class Copying:
    """Copies one database into another one."""

    def __init__(
        self,
        source: AsyncConnection,
        target: AsyncEngine,
        *,
        verify: Verify,
        progress: Progress,
        most: int = _MOST_ROWS,
    ) -> None:
        """`source` is in a transaction during which nobody else changes anything. A batch has at most `most` rows."""
        self._source = source
        self._target = target
        self._verify = verify
        self._progress = progress
        self._most = most
        self._limits: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._done = 0

    async def run(self) -> int:
        """Copy the rows that are still missing, and compare all of them. Return how many there are.

        If the source has changed since an interrupted copy, start over. Raises NotEmpty, Differs, TargetFailed.
        """
        for stored in TABLES:
            self._counts[stored.name] = await stored.count(self._source)
            self._limits[stored.name] = max(1, min(self._most, _MOST_BYTES // await stored.longest(self._source)))
        begun = await self._begin()
        try:
            await self._copy_and_compare()
        except (Differs, IntegrityError):
            if not begun:
                raise
            await self._empty()
            await self._copy_and_compare()
        return sum(self._counts.values())

    async def finish(self) -> None:
        """Release the target for bots to use."""
        async with self._changing() as target:
            await target.execute(delete(notes).where(notes.c.name == ARRIVING))
            if target.dialect.name == "postgresql":
                await target.execute(text("ANALYZE"))  # the first queries would otherwise be planned for empty tables

    async def _begin(self) -> bool:
        """Return whether this resumes an interrupted copy. Raises NotEmpty."""
        async with self._changing() as target:
            if await noted(target, ARRIVING) is not None:
                return True
            for stored in TABLES:
                if stored.name not in _OF_THE_BOT and await stored.count(target):
                    raise NotEmpty
        await self._empty()  # remove what a bot without users has noted for itself
        return False

    async def _empty(self) -> None:
        async with self._changing() as target:
            for table in reversed(metadata.sorted_tables):
                await target.execute(delete(table))
            await target.execute(insert(notes).values(name=ARRIVING, value="[]"))

    async def _copy_and_compare(self) -> None:
        self._done = 0
        await self._copy()
        for stored in TABLES:
            await self._compare(stored)

    async def _copy(self) -> None:
        async with self._changing() as target:
            got_to = json.loads(await noted(target, ARRIVING) or "[]")
        name, place = got_to or (TABLES[0].name, None)
        first = [stored.name for stored in TABLES].index(name)
        self._done = sum(self._counts[stored.name] for stored in TABLES[:first])
        for stored in TABLES[first:]:
            async for rows in stored.batches(self._source, self._limits[stored.name], place):
                await self._verify()
                async with self._changing() as target:
                    await target.execute(insert(stored.table), [row._asdict() for row in rows])
                    got_to = json.dumps([stored.name, stored.place_of(rows[-1])])
                    await target.execute(notes.update().where(notes.c.name == ARRIVING).values(value=got_to))
                self._advance(len(rows))
            place = None

    async def _compare(self, stored: _StoredTable) -> None:
        async for rows in stored.batches(self._source, self._limits[stored.name]):
            await self._verify()
            async with self._reading() as target:
                found = await target.execute(stored.at([stored.place_of(row) for row in rows]))
                there = {stored.place_of(row): row for row in found}
            if any(there.get(stored.place_of(row)) != row for row in rows):
                raise Differs(stored.name)
            self._advance(len(rows))
        async with self._reading() as target:
            if await stored.count(target) != self._counts[stored.name]:
                raise Differs(stored.name)

    def _advance(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, 2 * sum(self._counts.values()))

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        with _of_target():
            async with self._target.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _of_target():
            async with self._target.connect() as connection:
                yield connection


@contextmanager
def _of_target() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, OSError) as error:
        raise TargetFailed from error


async def move(
    source: str, target: str, *, verify: Verify, progress: Progress, today: date, most: int = _MOST_ROWS
) -> int:
    """Copy and compare everything, and note in the source that it was moved. Return how many rows there are.

    At no time may bots use both: the source is closed to them in the last step but one, and the target opened in the
    last. Raises Moved if the source was moved elsewhere, NotEmpty, Differs, TargetFailed.
    """
    engines = single_engine(source), single_engine(target)
    try:
        async with engines[0].connect() as connection, connection.begin():
            await _keep_still(connection)
            await _may_leave(connection, engines[1], target)
            copying = Copying(connection, engines[1], verify=verify, progress=progress, most=most)
            rows = await copying.run()
            await verify()
            await connection.execute(delete(notes).where(notes.c.name == MOVED))
            moved = json.dumps([named(target), today.isoformat()])
            await connection.execute(insert(notes).values(name=MOVED, value=moved))
        await copying.finish()
        return rows
    finally:
        for engine in engines:
            await engine.dispose()


async def _keep_still(connection: AsyncConnection) -> None:
    """Keep everybody else from changing anything until the transaction ends. In SQLite, BEGIN IMMEDIATE does so."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(stored.name for stored in TABLES)
        await connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))


async def _may_leave(source: AsyncConnection, target: AsyncEngine, url: str) -> None:
    """Raise Moved, unless the source isn't moved yet, or only the last step of a move to this target is missing."""
    if await noted(source, ARRIVING) is not None:
        raise Moved(UNFINISHED)
    if (moved := await noted(source, MOVED)) is None:
        return
    with _of_target():
        async with target.connect() as connection:
            unfinished = await noted(connection, ARRIVING) is not None
    if not unfinished or json.loads(moved)[0] != named(url):
        raise Moved(gone(moved))


def named(url: str) -> str:
    """Return a database's name for operators, without user and password."""
    if file := sqlite_file(url):
        return str(file.resolve())
    parsed = make_url(url)
    return f"postgresql://{parsed.host or parsed.query.get('host', '')}/{parsed.database}"
