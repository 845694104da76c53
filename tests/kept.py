"""Connections to PostgreSQL that a test process keeps from test to test, and the event loop that they belong to.

For a new connection the server starts a process that knows no table and no statement yet, which takes it longer than
most tests. So a connection that a test closes is cleaned and kept, and a later one continues with it and what it has
prepared. A connection belongs to its event loop, so there is only one: when a test closes it, everything of the test is
removed from it, and the next test gets it again.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Iterable
from typing import Any, Final

import asyncpg

_MOST: Final = 8
"""How many connections are kept: as many as a bot has at most."""
_PROCESS: Final = os.getpid()


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that isn't closed but emptied."""

    in_use = False

    def close(self) -> None:
        inside: Any = self
        for number in list(inside._signal_handlers):
            self.remove_signal_handler(number)
        ours = {inside._ssock.fileno(), *(each.file for each in _idle)}
        for file in set(inside._selector.get_map()) - ours:
            inside._selector.unregister(file)
        inside._default_executor = None  # it is already shut down
        inside._executor_shutdown_called = inside._asyncgens_shutdown_called = False
        self.set_exception_handler(None)
        self.set_task_factory(None)
        self.in_use = False

    def begin(self) -> "_Loop":
        """Forget what was to be done later, also by threads that ended after their test."""
        inside: Any = self
        inside._ready.clear()
        inside._scheduled.clear()
        self.in_use = True
        return self


class Connection(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """A connection that may continue after it was closed."""

    kind = ""
    """The options with which it was opened."""
    _known_types: frozenset[str] = frozenset()

    @property
    def file(self) -> int:
        return int(self._transport.get_extra_info("socket").fileno())

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncpg's
        if self in _idle:
            return
        try:
            clean = await self._clean()
        except asyncio.CancelledError:
            self.terminate()
            raise
        if clean:
            self._call_termination_listeners()
            _idle.append(self)
        else:
            await super().close(timeout=timeout)

    async def _clean(self) -> bool:
        """Undo what outlives a transaction. Return whether the connection may be kept.

        One whose transaction wasn't ended isn't, even if that had not begun on the server. Neither is one in which a
        cancelled BEGIN turns out to have begun it after all.
        """
        if len(_idle) >= _MOST or self.is_closed() or self.is_in_transaction() or self._top_xact:
            return False
        try:
            await self.reset(timeout=1)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return not self.is_in_transaction()

    async def set_type_codec(self, typename: str, **options: Any) -> None:
        """Do it once: it makes the connection forget its statements, and SQLAlchemy always does the same."""
        if typename not in self._known_types:
            await super().set_type_codec(typename, **options)
            self._known_types |= {typename}


_loop: Final = _Loop()
_idle: Final[list[Connection]] = []
_connect: Final = asyncpg.connect
_new_event_loop: Final = asyncio.new_event_loop


def keep_connections() -> None:
    """Let tests use one loop after the other, and connections to a database of this process again."""
    setattr(asyncio.events, "new_event_loop", _the_loop)  # noqa: B010  # for mypy
    setattr(asyncpg, "connect", _connect_again)  # noqa: B010  # for mypy
    atexit.register(drop_connections, ())  # otherwise each complains at the end that nobody has closed it


def _the_loop() -> asyncio.AbstractEventLoop:
    """Return the loop, or a new one in another thread, in a fork, or while a fixture's loop is in use."""
    if _loop.in_use or os.getpid() != _PROCESS or threading.current_thread() is not threading.main_thread():
        return _new_event_loop()
    return _loop.begin()


async def _connect_again(*arguments: Any, **options: Any) -> Any:
    if arguments or asyncio.get_running_loop() is not _loop or not str(options.get("database")).startswith("ajar_"):
        return await _connect(*arguments, **options)
    kind = repr(sorted(options.items()))
    for kept in reversed(_idle):
        if kept.kind == kind:
            _idle.remove(kept)
            if not kept.is_closed():
                return kept
    connection = await _connect(**options, connection_class=Connection)
    connection.kind = kind
    return connection


def kept_processes() -> list[int]:
    """Return the ids of the server's processes that wait for the next test."""
    return [kept.get_server_pid() for kept in _idle]


def drop_connections(alive: Iterable[int]) -> None:
    """Drop the kept connections except to these processes: a test may have ended the others."""
    for kept in list(_idle):
        if kept.get_server_pid() not in alive:
            _idle.remove(kept)
            kept.terminate()
