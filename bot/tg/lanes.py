"""Lanes: items of one user are handled one after the other, those of different users concurrently."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Queues by lane, each with a task that exists only while the queue isn't empty."""

    def __init__(self, handle: Callable[[int, T], Awaitable[None]], rank: Callable[[T], int]) -> None:
        """`handle` is called with a lane and its first item, and returns once the next one may follow.

        Waiting items are handled in order of their `rank`, the lowest first.
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
        """Return the items waiting in a lane behind the one that is being handled."""
        waiting = iter(self._queues.get(lane, ()))
        next(waiting, None)
        return waiting

    @property
    def in_use(self) -> int:
        """How many lanes aren't empty."""
        return len(self._queues)

    def __iter__(self) -> Iterator[T]:
        """Return all items that wait or are being handled."""
        return chain.from_iterable(self._queues.values())

    def __len__(self) -> int:
        """Return how many items wait or are being handled."""
        return self._count

    async def finish(self) -> None:
        """Wait until all lanes are empty."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def abandon(self) -> None:
        """Drop all items that aren't handled yet."""
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
