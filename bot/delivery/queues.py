"""Queues by number: what has the same one is done one after the other, what has different ones side by side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Queues:
    """As many as there are numbers with somebody in their queue."""

    def __init__(self) -> None:
        self._queues: dict[int, _Queue] = {}

    @asynccontextmanager
    async def stand(self, number: int) -> AsyncIterator["Stand"]:
        """Wait for one's turn in the queue of this number; it is left at the end at the latest."""
        queue = self._queues.setdefault(number, _Queue())
        queue.length += 1
        try:
            await queue.head.acquire()
            stand = Stand(queue.head)
            try:
                yield stand
            finally:
                stand.leave()
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[number]


class Stand:
    """Being at the head of a queue."""

    __slots__ = ("_head",)

    def __init__(self, head: asyncio.Lock) -> None:
        self._head: asyncio.Lock | None = head

    def leave(self) -> None:
        """Let the next one in, be it that one's own work goes on."""
        if self._head:
            self._head.release()
            self._head = None


class _Queue:
    __slots__ = ("head", "length")

    def __init__(self) -> None:
        self.head = asyncio.Lock()
        self.length = 0
