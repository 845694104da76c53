"""SQLite's log is copied into the database beside the writers: no commit does it, and the log doesn't grow for ever."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.crypto import KeyRing
from bot.storage import checkpoints
from bot.storage.checkpoints import Checkpoints, Log
from bot.storage.store import Store
from tests.databases import SqliteTemplate

PAGE = 4096
SQLITES_OWN = 1_000
"""The pages with which SQLite would copy the log by itself, within a commit."""


@pytest.fixture
async def store(sqlite_template: SqliteTemplate, tmp_path: Path, keys: KeyRing) -> AsyncIterator[Store]:
    store = Store.at(sqlite_template.copy(tmp_path), keys)
    yield store
    await store.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_DELAY", 0.01)


def log_of(folder: Path) -> Path:
    return folder / "ajar.db-wal"


def pages_of(file: Path) -> int:
    return file.stat().st_size // PAGE


async def write(store: Store, pages: int) -> None:
    """Commit changes to this many pages, each time to the same ones."""
    async with store.writing() as rows:
        await rows.take_note("much", os.urandom(pages * PAGE // 2).hex())


async def test_no_commit_copies_the_log(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_DELAY", 600)
    before = pages_of(tmp_path / "ajar.db")
    for _ in range(3):
        await write(store, SQLITES_OWN)
    assert pages_of(log_of(tmp_path)) > 3 * SQLITES_OWN
    assert pages_of(tmp_path / "ajar.db") == before, "the database isn't written to"


@pytest.mark.usefixtures("soon")
async def test_what_is_committed_is_copied_soon(store: Store, tmp_path: Path) -> None:
    before = pages_of(tmp_path / "ajar.db")
    await write(store, 100)
    async with asyncio.timeout(20):
        while pages_of(tmp_path / "ajar.db") < before + 100:  # noqa: ASYNC110  # the background's own breath
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("first", "second", "anew"),
    [
        (Log(4_000, 4_000), None, False),
        (Log(4_001, 4_001), Log(4_050, 4_050), True),
        (Log(4_001, 4_001), Log(4_050, 4_001), False),  # a reader would keep it from beginning anew
        (Log(4_001, 4_001), None, False),
        (None, None, False),
    ],
)
async def test_long_log_restarts_without_readers(first: Log | None, second: Log | None, anew: bool) -> None:
    found, restarted = [first, second], asyncio.Event()

    async def copy() -> Log | None:
        return found.pop(0)

    async def restart() -> None:
        restarted.set()

    checkpoints = Checkpoints(copy, restart)
    checkpoints.committed()
    await checkpoints.finish()
    assert restarted.is_set() == anew


async def test_restarted_log_stops_growing(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        await write(store, 200)
    pages = pages_of(log_of(tmp_path))
    assert await store._database._restart_log()  # type: ignore[attr-defined]
    await write(store, 200)
    assert pages_of(log_of(tmp_path)) == pages


@pytest.mark.usefixtures("soon")
async def test_old_reader_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ajar.db", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM users").fetchall()
        async with asyncio.timeout(20):
            for _ in range(10):
                await write(store, SQLITES_OWN)
        assert pages_of(log_of(tmp_path)) > 10 * SQLITES_OWN
