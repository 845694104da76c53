"""An event loop that runs ready callbacks in an order drawn from a seed, in a time that costs nothing.

Everything happens in one thread: what would go to another is done at once, and its outcome arrives some turns later. So
a seed is a schedule, and the same seed is the same schedule again.
"""

import asyncio
import math
import random
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import aiosqlite

T = TypeVar("T")


class Stuck(Exception):
    """Nothing is ready, and nothing will ever be."""


class _Drawn(deque[Any]):
    """Callbacks that are ready. Which of them is next is drawn."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def popleft(self) -> Any:
        at = self._chance.randrange(len(self))
        self.rotate(-at)
        handle = super().popleft()
        self.rotate(at)
        return handle


class _NoWaiting(selectors.SelectSelector):
    """Lets the loop's time pass instead of waiting. There are no files to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck
        self.now += timeout
        return []


class Schedule(asyncio.SelectorEventLoop):
    """One schedule."""

    def __init__(self, seed: int) -> None:
        self._waiting = _NoWaiting()
        super().__init__(self._waiting)
        self.chance = random.Random(seed)
        self._ready = _Drawn(self.chance)

    @property
    def _clock_resolution(self) -> float:
        """The least by which time can differ: after some months that is more than a nanosecond, asyncio's own value.

        With less, nothing that is due now would count as due; with more, somebody who waits until a moment would be
        woken before it, again and again.
        """
        return math.ulp(self._waiting.now)

    @_clock_resolution.setter
    def _clock_resolution(self, _: float) -> None:
        """Leave out what asyncio sets."""

    def time(self) -> float:
        return self._waiting.now

    def set_time(self, seconds: float) -> None:
        self._waiting.now = seconds

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]  # noqa: ARG002
        """Do it now; its outcome arrives later."""
        return self.create_task(self.later(func, *args))

    async def later(self, func: Callable[..., Any], *args: Any, **more: Any) -> Any:
        try:
            outcome, error = func(*args, **more), None
        except Exception as failed:  # noqa: BLE001  # it is raised below
            outcome, error = None, failed
        for _ in range(self.chance.randrange(3)):
            await asyncio.sleep(0)
        if self.chance.random() < 0.1:  # sometimes the disk is slow
            await asyncio.sleep(self.chance.uniform(0, 0.05))
        if error:
            raise error
        return outcome


def run(work: Callable[[], Coroutine[Any, Any, T]], seed: int) -> T:
    """Run this in the schedule of a seed."""
    with schedule(seed) as runner:
        return runner.run(work())


@contextmanager
def schedule(seed: int) -> Iterator[asyncio.Runner]:
    """Yield what runs coroutines in the schedule of a seed. Whatever else is drawn is drawn from the seed too."""
    random.seed(seed)
    ids = mock.patch("bot.storage.ids.secrets", SimpleNamespace(randbits=random.Random(seed).getrandbits))
    with ids, _without_threads(), asyncio.Runner(loop_factory=partial(Schedule, seed)) as runner:
        yield runner


@contextmanager
def _without_threads() -> Iterator[None]:
    """Let connections to SQLite work in the loop's own thread."""

    async def execute(connection: Any, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if not connection._running or not connection._connection:
            raise ValueError("Connection closed")
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Schedule)
        return await loop.later(work, *args, **more)

    async def connect(connection: Any) -> Any:
        connection._connection = connection._connector()
        return connection

    def stop(connection: Any) -> None:
        connection._running = False
        if connection._connection is not None:
            connection._connection.close()
            connection._connection = None

    parts: dict[str, Any] = {"_execute": execute, "_connect": connect, "stop": stop}
    parts["__await__"] = lambda connection: connect(connection).__await__()
    with mock.patch.multiple(aiosqlite.Connection, **parts):
        yield
