"""A lock for each key: work with the same key is done in order, work with different keys concurrently."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyedLocks:
    """Asyncio locks by key. One exists only while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[int, _Lock] = {}

    @asynccontextmanager
    async def locked(self, key: int) -> AsyncIterator["HeldLock"]:
        """Wait for the lock of this key, in order of arrival. It is released when the context ends, at the latest."""
        lock = self._locks.setdefault(key, _Lock())
        lock.users += 1
        try:
            await lock.lock.acquire()
            held = HeldLock(lock.lock)
            try:
                yield held
            finally:
                held.release()
        finally:
            lock.users -= 1
            if not lock.users:
                del self._locks[key]


class HeldLock:
    """A lock that has been acquired."""

    __slots__ = ("_lock",)

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock: asyncio.Lock | None = lock

    def release(self) -> None:
        """Let the next one in, even though the holder goes on working."""
        if self._lock:
            self._lock.release()
            self._lock = None


class _Lock:
    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
        """How many tasks hold it or wait for it."""
