"""A connection to PostgreSQL that makes few round trips, and takes the shortest way for each.

Each statement is a round trip, for which SQLAlchemy looks the statement up by its structure, makes a context and a
cursor, and switches between two stacks twice. Here asyncpg executes what was prepared, and one trip does more:

- a transaction begins, gets its limits and takes its user's lock in one;
- what is to be prefetched is read by one statement that returns an array of rows for each;
- what was left for later (`execute_later`) is changed by one statement, a WITH of several, as far as they can't
  disturb each other.

All statements of one WITH see the database as it was before. So they change different tables, and none of them reads
what an earlier one changes.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby, zip_longest
from typing import Any, Final, NoReturn

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncTransaction

from bot.storage.direct import DirectConnection, Key, RawRows
from bot.storage.prepared import Found, Prepared

_REMEMBERED: Final = 500
_NUMBER: Final = re.compile(r"\$(\d+)")
_TYPED: Final = re.compile(r"\$(\d+)::(\w+)")
_TRY_USERS: Final = "SELECT 1 FROM unnest(ARRAY[{ids}]::bigint[]) AS id WHERE pg_try_advisory_xact_lock(id)"

_Step = tuple[Prepared, Sequence[Any]]


@dataclass(slots=True)
class _Group:
    """Changes that one statement makes."""

    steps: list[_Step] = field(default_factory=list)

    def takes(self, new: Prepared) -> bool:
        """Whether this statement can be executed with these, in whichever order."""
        if not _is_mergeable(new):
            return False
        return all(_is_mergeable(each) and _are_apart(each, new) for each, _ in self.steps)

    @property
    def key(self) -> tuple[str, tuple[Any, ...]]:
        """The statement, and its parameters."""
        text = _with_all(tuple([(ready.text, len(parameters)) for ready, parameters in self.steps]))
        return text, tuple([value for _, parameters in self.steps for value in parameters])


class PostgresConnection(DirectConnection):
    """A connection that begins its transactions itself. What is done without `begun` is left to SQLAlchemy."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._later: dict[int | None, list[_Step]] = {}  # by the user that we had turned to
        self._has_begun = False

    async def begun(self, limits: str, user_ids: Sequence[int]) -> bool:
        """Begin a transaction with these settings, and take these users' locks. False if somebody else has one."""
        take = _TRY_USERS.format(ids=",".join(map(str, map(int, user_ids)))) if user_ids else ""
        self._has_begun = True
        self._adapter._transaction = _Transaction(self._driver)  # noqa: SLF001  # so that SQLAlchemy ends it
        said = await self._trip(self._driver.execute, f"BEGIN; {limits} {take}")
        return not user_ids or _changed(said) == len(user_ids)

    @property
    def _adapter(self) -> Any:
        """SQLAlchemy's idea of the connection."""
        if self.sync_connection is None:
            raise RuntimeError("the connection is not open")
        return self.sync_connection.connection.dbapi_connection

    @property
    def _driver(self) -> Any:
        """Asyncpg's connection."""
        return self._adapter.driver_connection

    @property
    def _is_ready(self) -> bool:
        return self._has_begun and super()._is_ready and not self.in_nested_transaction()

    def begin_nested(self) -> AsyncTransaction:
        return _Savepoint(self, nested=True)

    async def _before_sqlalchemy(self) -> None:
        await self._write()

    async def exec_driver_sql(self, *arguments: Any, **options: Any) -> Any:
        await self.catch_up()
        return await super().exec_driver_sql(*arguments, **options)

    async def _execute(self, ready: Prepared, parameters: Sequence[Any]) -> Found:
        if ready.changes is None and not ready.locks:
            return ready.result(await self._read(ready, parameters), -1)
        self._forget_read()  # it may wait for others, who change what we have read
        if ready.changes is None:
            await self._write()
            return ready.result(await self._fetch(ready.text, parameters), -1)
        groups = _grouped(self._take_later())
        last = groups.pop() if groups and groups[-1].takes(ready) else _Group()
        last.steps.append((ready, parameters))
        await self._change(groups)
        text, values = last.key
        if ready.returns:
            rows = await self._fetch(text, values)
            return ready.result(rows, len(rows))
        return ready.result([], _changed(await self._trip(self._driver.execute, text, *values)))

    async def _read(self, ready: Prepared, parameters: Sequence[Any]) -> RawRows:
        key = ready.text, parameters
        if known := self._prefetched.get(key):
            return known[1]
        if self._later and self._would_change([ready, *(each for each, _ in self._to_prefetch.values())]):
            await self._write()
        if not self._to_prefetch:
            return await self._fetch(*key)
        self._to_prefetch[key] = ready, self._prefetched
        await self._prefetch_all()
        return self._prefetched[key][1]

    async def _prefetch_all(self) -> None:
        wanted, self._to_prefetch = self._to_prefetch, {}
        sets = _sets(list(wanted))
        text = _arrays(tuple([(text, len(parameters)) for text, parameters in sets[0]]), several=len(sets) > 1)
        values = [[value for _, parameters in each for value in parameters] for each in sets]
        found = await self._fetch(text, list(zip(*values, strict=True)) if len(sets) > 1 else values[0])
        for keys, arrays in zip(sets, found, strict=True):
            for key, rows in zip(keys, arrays, strict=True):
                ready, prefetched = wanted[key]
                prefetched[key] = ready, rows

    def _would_change(self, reads: Sequence[Prepared]) -> bool:
        """Whether what waits to be written changes what these read."""
        return any(
            later.changes in each.reads or later.cascades
            for steps in self._later.values()
            for later, _ in steps
            for each in reads
        )

    def _write_later(self, ready: Prepared, parameters: Sequence[Any]) -> None:
        self._later.setdefault(self._user, []).append((ready, parameters))

    async def _write(self) -> None:
        """Execute what was left for later."""
        await self._change(_grouped(self._take_later()))

    def _take_later(self) -> list[_Step]:
        """Return what was left for later: what each user begins with, then what comes next, so that equals meet."""
        later, self._later = self._later, {}
        # Each user's own part keeps its order, and they don't disturb each other.
        return [step for steps in zip_longest(*later.values()) for step in steps if step]

    async def _change(self, groups: Sequence[_Group]) -> None:
        for text, same in groupby([group.key for group in groups], lambda key: key[0]):
            values = [values for _, values in same]
            if len(values) == 1:
                await self._trip(self._driver.execute, text, *values[0])
            else:
                await self._trip(self._driver.executemany, text, values)

    async def catch_up(self) -> None:
        self.forget_prefetched()
        await self._write()

    async def _fetch(self, text: str, values: Sequence[Any]) -> RawRows:
        found: RawRows = await self._trip(self._driver.fetch, text, *values)
        return found

    async def _trip(self, trip: Any, text: str, *values: Any) -> Any:
        try:
            return await trip(text, *values)
        except AssertionError as error:  # asyncpg's, about a connection that is just being lost
            await asyncio.shield(self.invalidate(error))
            raise ConnectionError("the connection was lost") from error
        except Exception as error:  # noqa: BLE001  # SQLAlchemy sorts it out
            await self._raise(error, text)
        except BaseException as error:  # cancelled: what the connection does now is unknown
            await asyncio.shield(self.invalidate(error))
            raise

    async def _raise(self, error: Exception, text: str) -> NoReturn:
        """Raise the error that SQLAlchemy would raise, which also discards a lost connection."""

        def raise_it(sync: Any) -> NoReturn:
            try:
                self._adapter._handle_exception(error)  # noqa: SLF001  # what SQLAlchemy does, and in that order
            except Exception as translated:  # noqa: BLE001  # it has to be the one that is being handled
                sync._handle_dbapi_exception(translated, text, None, None, None)  # noqa: SLF001
            raise error

        await self.run_sync(raise_it)
        raise error


class _Transaction:
    """What SQLAlchemy needs to end a transaction that it hasn't begun."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    async def commit(self) -> None:
        await self._end("COMMIT")

    async def rollback(self) -> None:
        await self._end("ROLLBACK")

    async def _end(self, how: str) -> None:
        try:
            await self._driver.execute(how)
        except AssertionError as error:  # as above
            raise ConnectionError("the connection was lost") from error


class _Savepoint(AsyncTransaction):
    """A savepoint, within which nothing is left for later."""

    async def start(self, is_ctxmanager: bool = False) -> AsyncTransaction:
        connection: Any = self.connection
        await connection.catch_up()
        return await super().start(is_ctxmanager=is_ctxmanager)


def _grouped(steps: Sequence[_Step]) -> list[_Group]:
    """Put each change into the earliest group that it can join without overtaking a change that must come first."""
    groups: list[_Group] = []
    for ready, parameters in steps:
        place = len(groups)
        while place and groups[place - 1].takes(ready):
            place -= 1
        if place == len(groups):
            groups.append(_Group())
        groups[place].steps.append((ready, parameters))
    return groups


def _are_apart(one: Prepared, other: Prepared) -> bool:
    """Whether neither reads or changes what the other changes."""
    return one.changes not in other.reads and other.changes not in one.reads


def _is_mergeable(ready: Prepared) -> bool:
    return not (ready.cascades or ready.text.startswith("WITH"))


@lru_cache(_REMEMBERED)
def _with_all(texts: tuple[tuple[str, int], ...]) -> str:
    """Return one statement that executes these, with this many parameters each, and returns what the last one does."""
    *others, last = _renumbered(texts)
    if not others:
        return last
    return f"WITH {', '.join(f'change_{number} AS ({text})' for number, text in enumerate(others))} {last}"


def _sets(keys: Sequence[Key]) -> list[tuple[Key, ...]]:
    """Return the same statements with other parameters as a set for each of these; otherwise all as one set."""
    same: dict[str, list[Key]] = {}
    for key in keys:
        same.setdefault(key[0], []).append(key)
    return list(zip(*same.values(), strict=True)) if len({*map(len, same.values())}) == 1 else [tuple(keys)]


@lru_cache(_REMEMBERED)
def _arrays(texts: tuple[tuple[str, int], ...], *, several: bool) -> str:
    """Return one SELECT that returns the rows of each of these in an array.

    With `several`, each parameter is a list, and a row of arrays is returned for each of its elements. Planning one
    SELECT for many users that repeats these for each would take longer than everything else.
    """
    arrays = ", ".join(f"ARRAY(SELECT ROW(read.*) FROM ({text}) AS read)" for text in _renumbered(texts))  # noqa: S608
    if not several:
        return f"SELECT {arrays}"
    types = dict(_TYPED.findall(arrays))
    lists = ", ".join(f"${number}::{kind}[]" for number, kind in types.items())
    names = ", ".join(f"value_{number}" for number in types)
    arrays = _NUMBER.sub(r"value_\1", arrays)
    return f"SELECT {arrays} FROM unnest({lists}) WITH ORDINALITY AS given ({names}, place) ORDER BY place"  # noqa: S608


def _renumbered(texts: Sequence[tuple[str, int]]) -> list[str]:
    """Return the statements with their parameters renumbered to follow those of the statements before."""
    found, before = [], 0
    for text, count in texts:
        found.append(_NUMBER.sub(partial(_moved, before), text))
        before += count
    return found


def _moved(before: int, number: re.Match[str]) -> str:
    return f"${int(number[1]) + before}"


def _changed(said: str) -> int:
    """Return how many rows a statement has changed or returned, from PostgreSQL's reply: UPDATE 1, or INSERT 0 1."""
    number = said.rpartition(" ")[2]
    return int(number) if number.isdigit() else -1
