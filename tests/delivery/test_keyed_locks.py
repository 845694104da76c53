"""Work with the same key is done in order, work with different keys at the same time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.delivery.keyed_locks import HeldLock, KeyedLocks


async def work(
    locks: KeyedLocks, key: int, done: list[str], name: str, rest: Callable[[HeldLock], Awaitable[object]]
) -> None:
    async with locks.locked(key) as lock:
        done.append(f"{name} begins")
        await rest(lock)
        done.append(f"{name} ends")


async def a_while(_lock: HeldLock) -> None:
    await asyncio.sleep(0.01)


async def test_same_key_is_worked_on_in_order_of_arrival() -> None:
    locks, done = KeyedLocks(), list[str]()
    await asyncio.gather(*(work(locks, 1, done, name, a_while) for name in "abc"))
    assert done == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_other_keys_wait_for_nobody() -> None:
    locks, done = KeyedLocks(), list[str]()
    await asyncio.gather(*(work(locks, key, done, str(key), a_while) for key in range(3)))
    assert done[:3] == ["0 begins", "1 begins", "2 begins"]


async def test_released_lock_lets_the_next_one_in() -> None:
    locks, done = KeyedLocks(), list[str]()
    following = asyncio.Event()

    async def release(lock: HeldLock) -> None:
        lock.release()
        lock.release()
        await asyncio.wait_for(following.wait(), 20)

    async def follow(_lock: HeldLock) -> None:
        following.set()

    await asyncio.gather(work(locks, 1, done, "a", release), work(locks, 1, done, "b", follow))
    assert done == ["a begins", "b begins", "b ends", "a ends"]


async def test_lock_that_nobody_wants_is_forgotten() -> None:
    """Otherwise each user who ever wrote would take memory for as long as the bot runs."""
    locks, done = KeyedLocks(), list[str]()

    async def fail(_lock: HeldLock) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await work(locks, 1, done, "a", fail)
    working = asyncio.create_task(work(locks, 1, done, "b", a_while))
    waiting = asyncio.create_task(work(locks, 1, done, "c", a_while))
    await asyncio.sleep(0)
    waiting.cancel()
    await working
    assert done == ["a begins", "b begins", "b ends"]
    assert not locks._locks
