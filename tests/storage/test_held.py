"""Updates that wait for a data key: kept once, in order, sealed, and gone with their user."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.clock import HandClock
from bot.crypto import KeyRing, WrongKey
from bot.storage.held import HeldUpdate
from bot.storage.store import Store
from tests.storage.people import ready

WORDS = "The heron stood there until it got dark."


def raw(number: int) -> dict[str, Any]:
    return {"update_id": number, "message": {"text": WORDS}}


async def hold(store: Store, clock: HandClock, *numbers: int, user_id: int = 1) -> list[bool]:
    async with store.writing() as rows:
        return [await rows.held.add(HeldUpdate(each, user_id, raw(each)), clock.now()) for each in numbers]


async def test_update_is_held_once_and_comes_in_order(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, 1, clock.now())
    assert await hold(store, clock, 8, 7, 8) == [True] * 3
    async with store.writing() as rows:
        assert await rows.held.users() == [1]
        for number in (7, 8):
            found = await rows.held.first_of(1)
            assert found == HeldUpdate(number, 1, raw(number))
            await rows.held.remove(number)
        assert await rows.held.first_of(1) is None


async def test_nothing_is_held_for_unknown_users(store: Store, clock: HandClock) -> None:
    assert await hold(store, clock, 7) == [False]


async def test_held_update_is_sealed_and_goes_with_its_user(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, 1, clock.now())
    await hold(store, clock, 7)
    async with store.writing() as rows:
        (sealed,) = (await rows._connection.execute(text("SELECT raw FROM held_updates"))).scalars()
        assert b"heron" not in bytes(sealed)
        await rows.users.erase(1)
        assert await rows.held.users() == []


async def test_version_needed_by_held_updates_is_not_forgotten(store: Store, clock: HandClock, keys: KeyRing) -> None:
    async with store.writing() as rows:
        await ready(rows, 1, clock.now())
    await hold(store, clock, 7)
    with pytest.raises(WrongKey, match="what waits to be handled"):
        await _retires(store, keys)


async def _retires(store: Store, keys: KeyRing) -> None:
    """Retire the key, with no intact data key to prevent it."""
    async with store.writing() as rows:
        await rows._connection.execute(text("UPDATE users SET data_key = :none"), {"none": b"damaged"})
        await rows.master_keys.retire(keys.current)
