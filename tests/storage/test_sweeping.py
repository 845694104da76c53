"""Deleted content is removed from the disk, and nobody waits for that."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import HandClock
from bot.crypto import KeyRing
from bot.domain.model import Draft, DraftReason, Line
from bot.storage.schema import lines, users
from bot.storage.store import Store
from tests.databases import PostgresServer, SqliteTemplate
from tests.storage.people import ALICE, BOB, kept, ready

SHORT = 2.0
"""Seconds, far more than anything here should take; waiting for another reader would take ten."""


@pytest.fixture
async def file_store(sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(sqlite_template.copy(tmp_path), keys)
    yield store
    await store.close()


@contextmanager
def reader(folder: Path) -> Iterator[None]:
    """Another process that reads the database meanwhile, like a backup."""
    with closing(sqlite3.connect(folder / "ajar.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM users").fetchall()
        yield


def on_disk(folder: Path, wanted: bytes) -> bool:
    return any(wanted in file.read_bytes() for file in folder.glob("ajar.db*"))


async def told(store: Store, clock: HandClock) -> tuple[Line, bytes, bytes]:
    """Let Alice keep a Line; return it, its sealed words, and her wrapped key."""
    async with store.writing() as rows:
        user = await ready(rows, ALICE, clock.now())
        line = await kept(rows, user, "Something private.", clock.now())
        words: bytes = (await rows._connection.execute(select(lines.c.words))).scalar_one()
        key: bytes = (await rows._connection.execute(select(users.c.data_key))).scalar_one()
    return line, words, key


async def until_swept(store: Store) -> None:
    async with asyncio.timeout(20):
        while not store.swept:  # noqa: ASYNC110  # the background's own breath is what is waited for
            await asyncio.sleep(0.05)


async def test_sweep_says_that_it_is_done(file_store: Store, tmp_path: Path, clock: HandClock) -> None:
    _, _, key = await told(file_store, clock)
    async with file_store.writing() as rows:
        await rows.users.erase(ALICE)
    assert on_disk(tmp_path, key)
    assert await file_store.sweep()
    assert file_store.swept
    assert not on_disk(tmp_path, key)


async def test_another_reader_delays_nobody(file_store: Store, tmp_path: Path, clock: HandClock) -> None:
    _, _, key = await told(file_store, clock)
    with reader(tmp_path):
        async with asyncio.timeout(SHORT):
            async with file_store.writing() as rows:
                await rows.users.erase(ALICE)
            swept, _ = await asyncio.gather(file_store.sweep(), told_by_bob(file_store, clock))
        assert not swept
        assert not file_store.swept
        assert on_disk(tmp_path, key), "it is still there, and so it was right to say so"
    await until_swept(file_store)
    assert not on_disk(tmp_path, key)


async def told_by_bob(store: Store, clock: HandClock) -> None:
    async with store.writing() as rows:
        await ready(rows, BOB, clock.now())


async def test_busy_writer_is_not_awaited(file_store: Store, tmp_path: Path, clock: HandClock) -> None:
    await told(file_store, clock)
    with closing(sqlite3.connect(tmp_path / "ajar.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE users SET depth = 2")
        async with asyncio.timeout(SHORT):
            assert not await file_store.sweep()
        other.execute("COMMIT")
    await until_swept(file_store)


@pytest.mark.parametrize("act", ["delete", "change", "drop a draft", "erase"])
async def test_every_removal_of_words_is_swept(file_store: Store, tmp_path: Path, clock: HandClock, act: str) -> None:
    line, words, _ = await told(file_store, clock)
    async with file_store.writing() as rows:
        draft = await rows.drafts.set_aside(Draft(0, ALICE, DraftReason.UNASKED, "Or this.", 9), clock.now())
    async with file_store.writing() as rows:
        if act == "delete":
            await rows.lines.delete(line)
        elif act == "change":
            await rows.lines.change(line, "Other words.", clock.now())
        elif act == "drop a draft":
            await rows.drafts.drop(draft)
        else:
            await rows.users.erase(ALICE)
    assert not file_store.swept, "it says that something is left"
    await until_swept(file_store)
    assert on_disk(tmp_path, words) == (act == "drop a draft")
    assert (tmp_path / "ajar.db-wal").stat().st_size == 0


async def test_failed_transaction_asks_for_no_sweep(file_store: Store, clock: HandClock) -> None:
    line, _, _ = await told(file_store, clock)

    async def fail() -> None:
        async with file_store.writing() as rows:
            await rows.lines.delete(line)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert file_store.swept


async def test_postgresql_never_claims_to_be_swept(postgres: PostgresServer, keys: KeyRing) -> None:
    async with postgres.emptied() as url:
        store = Store.at(url, keys)
        assert not await store.sweep()
        assert not store.swept
        await store.close()
