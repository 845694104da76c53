"""Continuous backup: a real Litestream with the configuration in deploy/ follows the database, and both die."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.config import load
from bot.doctor import examine
from bot.storage.store import Store
from tests.deploy.files import DEPLOY
from tests.storage.people import kept
from tests.test_copies import NOW, Keeper, keeper

__all__ = ["keeper"]

pytestmark = pytest.mark.process
LITESTREAM = Path(sys.executable).parent / "litestream"
ALICE = 1


@contextmanager
def following(keeper: Keeper, replica: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Litestream, and kill it in the end."""
    process = subprocess.Popen(
        [LITESTREAM, "replicate", "-config", DEPLOY / "litestream" / "litestream.yml"],
        env={**os.environ, "DATABASE": str(keeper.database), "REPLICA": replica},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)  # noqa: TID251  # another process does the work


def restored(replica: str, place: Path) -> Path | None:
    """Have Litestream restore what it has; None if it has nothing yet."""
    place.unlink(missing_ok=True)
    done = subprocess.run([LITESTREAM, "restore", "-o", place, replica], capture_output=True, check=False, timeout=30)
    return place if done.returncode == 0 else None


def lines_in(file: Path | None) -> int:
    if file is None:
        return 0
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM lines").fetchone()[0])


async def keep(keeper: Keeper, count: int) -> None:
    """Keep this many Lines, each in a transaction of its own, as answers do."""
    store = Store.at(f"sqlite+aiosqlite:///{keeper.database}", keeper.ring)
    for number in range(count):
        async with store.writing(ALICE) as rows:
            user = await rows.users.find(ALICE)
            assert user
            await kept(rows, user, f"Line {number}.", NOW, message_id=100 + number)
    await store.close()


def backups_at(keeper: Keeper) -> tuple[bool, str]:
    """Return what the doctor says about backups, up to the time."""
    config = load({"AJAR_DATA_DIR": str(keeper.database.parent)}, None, need_token=False)
    ((well, said),) = [each for each in asyncio.run(examine(config)) if each[1].startswith("backups")]
    return well, said.removeprefix("backups: ").partition(",")[0].partition(" since")[0]


def test_doctor_misses_an_ended_litestream(keeper: Keeper) -> None:
    assert backups_at(keeper)[0] is False, "there is no backup"
    folder = keeper.database.parent / ".ajar.db-litestream"
    folder.mkdir()
    (folder / "ltx").touch()
    os.utime(folder / "ltx", (1e9, 1e9))
    assert backups_at(keeper) == (False, "Litestream hasn't followed the database")
    os.utime(folder / "ltx")
    assert backups_at(keeper) == (True, "Litestream follows the database")


def test_litestream_restores_a_lost_disk(keeper: Keeper, tmp_path: Path) -> None:
    """The steps of docs/backups.md. Afterwards the bot's own backups work as before."""
    replica, copy = f"file://{tmp_path}/elsewhere", tmp_path / "restored.db"
    with following(keeper, replica):
        wait_until(lambda: restored(replica, copy) is not None)
        assert backups_at(keeper) == (True, "Litestream follows the database")
        asyncio.run(keep(keeper, 20))
        wait_until(lambda: lines_in(restored(replica, copy)) == 21)
    for file in keeper.database.parent.glob("ajar.db*"):
        file.unlink()
    shutil.rmtree(keeper.database.parent / ".ajar.db-litestream")
    assert keeper.does("verify", "restored.db")
    keeper.does("restore", "restored.db")
    assert lines_in(keeper.database) == 21
    keeper.does("backup", "again.age")
    assert keeper.does("verify", "again.age")
