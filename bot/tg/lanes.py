"""Lanes: what belongs to one user is handled one after the other, what belongs to different users side by side."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Queues by lane, each with a task that exists only while something is in it."""

    def __init__(self, handle: Callable[[int, T], Awaitable[None]], rank: Callable[[T], int]) -> None:
        """`handle` is called with a lane and its first item, and returns once the next one may follow.

        What waits is handled by its `rank`, low ones first.
        """
        self._handle = handle
        self._rank = rank
        self._queues: dict[int, deque[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0

    def add(self, lane: int, item: T) -> None:
        self._count += 1
        if queue := self._queues.get(lane):
            place = len(queue)
            while place > 1 and self._rank(queue[place - 1]) > self._rank(item):
                place -= 1
            queue.insert(place, item)
            return
        self._queues[lane] = deque([item])
        task = asyncio.create_task(self._run(lane), name="lane")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def behind_first(self, lane: int) -> Iterator[T]:
        """Return what waits in a lane behind the item that is being handled."""
        waiting = iter(self._queues.get(lane, ()))
        next(waiting, None)
        return waiting

    @property
    def in_use(self) -> int:
        """How many lanes have something in them."""
        return len(self._queues)

    def __iter__(self) -> Iterator[T]:
        """Return what waits or is being handled."""
        return chain.from_iterable(self._queues.values())

    def __len__(self) -> int:
        """Return how much waits or is being handled."""
        return self._count

    async def finish(self) -> None:
        """Wait until all lanes are empty."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def abandon(self) -> None:
        """Drop what isn't handled."""
        for task in self._tasks:
            task.cancel()
        await self.finish()

    async def _run(self, lane: int) -> None:
        queue = self._queues[lane]
        try:
            while queue:
                await self._handle(lane, queue[0])
                queue.popleft()
                self._count -= 1
        finally:
            self._count -= len(queue)
            del self._queues[lane]
