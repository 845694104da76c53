"""The database knows the master key that sealed it, and accepts no other one."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from bot.clock import HandClock
from bot.crypto import KeyMismatch, KeyRing, OtherKey
from bot.storage.engine import connect
from bot.storage.store import Rows, Store

ALICE, BOB = 1001, 1002


@asynccontextmanager
async def written(url: str, ring: KeyRing) -> AsyncIterator[Rows]:
    store = Store.at(url, ring)
    try:
        async with store.writing() as rows:
            yield rows
    finally:
        await store.close()


@asynccontextmanager
async def read(url: str, ring: KeyRing) -> AsyncIterator[Rows]:
    store = Store.at(url, ring)
    try:
        async with store.reading() as rows:
            yield rows
    finally:
        await store.close()


async def execute(url: str, statement: str) -> None:
    database = connect(url)
    async with database.writing() as connection:
        await connection.execute(text(statement))
    await database.close()


async def joins(url: str, ring: KeyRing, clock: HandClock, user_id: int = ALICE) -> None:
    async with written(url, ring) as rows:
        await rows.users.add(user_id, "en", clock.now())


async def is_refused(url: str, ring: KeyRing, says: str) -> None:
    """Check that the key of this ring is refused, with words that say what to do."""
    async with read(url, ring) as rows:
        with pytest.raises(OtherKey, match=says) as caught:
            await rows.master_keys.check()
    assert "Put back the key" in str(caught.value)


async def starts(url: str, ring: KeyRing, *, alone: bool = False) -> None:
    async with read(url, ring) as rows:
        await rows.master_keys.check()
    async with written(url, ring) as rows:
        await rows.master_keys.record(alone=alone)


async def test_original_key_fits(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await starts(database_url, keys)
    await joins(database_url, keys, clock)
    await starts(database_url, keys)


async def test_different_key_is_refused(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await joins(database_url, keys, clock)
    await is_refused(database_url, KeyRing.new(), "version 1 is another key")
    other = KeyRing.new()
    await is_refused(database_url, KeyRing({1: other._keys[1], 2: keys._keys[1]}), "version 1 is another key")


async def test_incomplete_ring_is_refused(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await joins(database_url, keys.rotated(), clock)
    await is_refused(database_url, keys, re.escape("needs version 2 of the master key, which was not given (given: 1)"))


async def test_unmarked_database_takes_its_key(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    """As an earlier version left it."""
    new = keys.rotated()
    await joins(database_url, keys, clock)
    await joins(database_url, new, clock, BOB)
    await execute(database_url, "DELETE FROM master_keys")
    await is_refused(database_url, KeyRing.new().rotated(), "does not open the data keys")
    await is_refused(database_url, KeyRing({**KeyRing.new()._keys, 2: new._keys[2]}), "does not open the data keys")
    await is_refused(database_url, keys, "needs version 2")
    await starts(database_url, new)
    await is_refused(database_url, KeyRing({1: keys._keys[1], 2: KeyRing.new()._keys[1]}), "version 2 is another key")


async def test_key_is_checked_before_migrating(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await joins(database_url, keys, clock)
    await execute(database_url, "ALTER TABLE master_keys RENAME TO put_away")
    try:
        await is_refused(database_url, KeyRing.new(), "does not open the data keys")
        async with read(database_url, keys) as rows:
            await rows.master_keys.check()
    finally:
        await execute(database_url, "ALTER TABLE put_away RENAME TO master_keys")


async def test_one_damaged_key_proves_nothing(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await joins(database_url, keys, clock)
    await joins(database_url, keys, clock, BOB)
    await execute(database_url, f"UPDATE users SET data_key = substr(data_key, 1, 40) WHERE id = {ALICE}")  # noqa: S608
    await starts(database_url, keys)
    async with read(database_url, keys) as rows:
        assert await rows.users.find(ALICE), "what needs no words goes on"
        with pytest.raises(KeyMismatch):
            await rows.users.name(ALICE)
        assert await rows.users.name(BOB) is None


async def test_matching_fingerprints_are_not_enough(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await joins(database_url, keys, clock)
    await execute(database_url, "UPDATE users SET data_key = substr(data_key, 1, 40)")
    await is_refused(database_url, keys, "does not open the data keys")


async def test_first_machine_keeps_its_key(database_url: str, keys: KeyRing) -> None:
    await starts(database_url, keys)
    with pytest.raises(OtherKey, match="another key"):
        await starts(database_url, KeyRing.new())
    await starts(database_url, keys)


async def test_unused_database_accepts_a_new_key(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await starts(database_url, keys, alone=True)
    new = KeyRing.new()
    await starts(database_url, new, alone=True)
    await joins(database_url, new, clock)
    with pytest.raises(OtherKey):
        await starts(database_url, keys, alone=True)


async def test_nobody_joins_with_a_wrong_key(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    await starts(database_url, keys)
    with pytest.raises(KeyMismatch):
        await joins(database_url, KeyRing.new(), clock)
    await execute(database_url, "UPDATE master_keys SET retired = 1")
    with pytest.raises(KeyMismatch):
        await joins(database_url, keys, clock)


async def test_fingerprint_reveals_nothing_of_the_key(database_url: str, keys: KeyRing, clock: HandClock) -> None:
    import hashlib

    await joins(database_url, keys, clock)
    async with read(database_url, keys) as rows:
        ((found,),) = await rows._connection.execute(text("SELECT fingerprint FROM master_keys"))
    key = keys._keys[1]
    plain = {key, hashlib.sha256(key).digest(), hashlib.sha256(keys.text.encode()).digest()}
    assert bytes(found) not in plain
    assert len(bytes(found)) == 32
