"""What the connections to both databases share: they execute statements directly, and several in one trip.

A trip to the database costs more than most statements. So what a transaction will probably read is read in the trip of
its first statement, on PostgreSQL of its first read (`prefetch`), and a statement whose outcome nobody needs waits for
the next trip (`execute_later`). Statements that are executed with values were built once, so they are also compiled
only once (`bot/storage/prepared.py`); all others are left to SQLAlchemy.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.prepared import Found, Prepared, all_prepared, prepared

Key = tuple[str, Sequence[Any]]
"""A statement and its parameters."""
RawRows = list[Any]
Prefetched = dict[Key, tuple[Prepared, RawRows]]


class DirectConnection(AsyncConnection, ABC):
    """SQLAlchemy's connection, with a shortcut for statements that are executed with values."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._dialect = engine.dialect
        self._has_listeners: bool | None = None
        self._user: int | None = None  # of several users the one that we have turned to
        self._prefetched: Prefetched = {}  # rows read ahead, until they change
        self._of_users: dict[int, Prefetched] = {}  # the same, in a transaction about several users
        self._to_prefetch: dict[Key, tuple[Prepared, Prefetched]] = {}  # the next trip that reads also reads these

    async def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """Execute a statement with values, or with a list of them. Raises the same errors as SQLAlchemy."""
        values = parameters[0] if isinstance(parameters, list) and len(parameters) == 1 else parameters
        if isinstance(values, dict) and execution_options is None and self._is_ready:
            ready = prepared(statement, values, self._dialect)
            if ready:
                return await self._execute(ready, ready.parameters(values))
        if not isinstance(statement, Select):
            self.forget_prefetched()
        await self._before_sqlalchemy()
        return await super().execute(statement, parameters, execution_options=execution_options)

    @abstractmethod
    async def _execute(self, ready: Prepared, parameters: Sequence[Any]) -> Found: ...

    async def _before_sqlalchemy(self) -> None:
        """Do what has to be done before SQLAlchemy executes something on its own."""

    def prefetch(self, values: Mapping[str, Any], *statements: Select[Any]) -> None:
        """Execute SELECTs in the next trip that reads, so that executing one with these values later needs none."""
        if not self._is_ready:
            return
        for ready in all_prepared(statements, values, self._dialect):
            self._to_prefetch[ready.text, ready.parameters(values)] = ready, self._prefetched

    def turn_to(self, user_id: int) -> None:
        """In a transaction about several users, do what follows for this one: it doesn't change what the others read.

        So what was prefetched for them is still true.
        """
        self._user = user_id
        self._prefetched = self._of_users.setdefault(user_id, {})

    def forget_prefetched(self) -> None:
        """Forget what was prefetched and what is still to be."""
        self._to_prefetch.clear()
        self._forget_read()

    def _forget_read(self) -> None:
        for read in (self._prefetched, *self._of_users.values()):
            read.clear()

    def _forget_changed(self, ready: Prepared) -> None:
        if ready.deletes:  # cascades can delete rows of any table
            self._prefetched.clear()
        elif ready.changes is not None:
            stale = [key for key, (read, _) in self._prefetched.items() if ready.changes in read.reads]
            for key in stale:
                del self._prefetched[key]

    @property
    def _is_ready(self) -> bool:
        """Whether the shortcut is possible: within a transaction, and without event listeners to be called."""
        sync = self.sync_connection
        if sync is None or not sync.in_transaction() or sync.invalidated:
            return False
        if self._has_listeners is None:
            self._has_listeners = bool(sync.dispatch.before_cursor_execute or sync.dispatch.after_cursor_execute)
        return not self._has_listeners

    async def execute_later(self, statement: Any, *each: dict[str, Any]) -> None:
        """Execute a statement, whose outcome nobody needs, for each of these values.

        It is executed with the next statement or at the end of the transaction, which raises its errors.
        """
        for values in each:
            ready = prepared(statement, values, self._dialect) if self._is_ready else None
            if ready:
                self._forget_changed(ready)
                self._write_later(ready, ready.parameters(values))
            else:
                await self.execute(statement, values)

    @abstractmethod
    def _write_later(self, ready: Prepared, parameters: Sequence[Any]) -> None: ...

    @abstractmethod
    async def catch_up(self) -> None:
        """Execute the statements left for later, before the transaction ends."""
