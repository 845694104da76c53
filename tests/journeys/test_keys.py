"""With a key that isn't the database's nothing is lost, neither kept lines nor texts that come meanwhile."""

import asyncio
import os
import re
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.crypto import KeyRing
from bot.storage.store import TIED
from tests.databases import PostgresServer
from tests.journeys.conftest import Make
from tests.journeys.house import House, free_port, until
from tests.journeys.test_restore import types
from tests.standin import TEST_KEY, Person, stand_in, start_bot

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = "One small question a day, one line back. It"
OTHER = KeyRing.new()
WRONG = {
    "another key": OTHER.text,
    "only another version": f"2:{OTHER.text[2:]}",
    "another key and a newer one": OTHER.rotated().text,
}


def all_rows(house: House) -> list[str]:
    with closing(sqlite3.connect(f"file:{house.bot.data_dir / 'ajar.db'}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


async def ends(house: House) -> int:
    await house.bot.begin()
    assert house.bot._process
    return await asyncio.wait_for(house.bot._process.wait(), 60)


async def test_start_with_another_key_changes_nothing(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked()
        assert await house.bot.stop() == 0
        before = all_rows(house)
        await alice.says("The heron stood there until it got dark.")
        await house.newcomer("Bob").says("/start")
        for what, key in WRONG.items():
            house.bot._env["AJAR_MASTER_KEY"] = key
            said = len(house.bot.output)
            assert await ends(house) == 2, what
            assert "Put back the key that this database was used with" in house.bot.output[said:]
            assert house.telegram.pending == 2, what
            assert all_rows(house) == before, what
        house.bot._env["AJAR_MASTER_KEY"] = TEST_KEY
        await house.starts()
        await alice.hears("Kept, and")
        assert await house.lines(alice) == ["The heron stood there until it got dark."]


async def test_words_wait_for_their_key(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.asked("Alice")
        bob, _ = await house.asked("Bob")
        ((right,),) = house.stored("SELECT data_key FROM users WHERE id = ?", alice.id)
        write(house, "UPDATE users SET data_key = ? WHERE id = ?", OTHER.wrap(os.urandom(32), alice.id), alice.id)
        await alice.says("I kept the ticket.")
        await house.logs("CRITICAL")
        await bob.says("Somebody whistled in the stairwell.")
        await bob.hears("Kept, and")
        await house.telegram.confirmed()
        assert len(house.stored("SELECT 1 FROM inbox WHERE handled_at IS NULL")) == 1
        assert "I kept" not in house.bot.output
        assert not [seen for seen in alice.sees if "went wrong" in seen.text]
        assert not house.stored("SELECT 1 FROM inbox WHERE tries > 0")
        await house.bot.kill()
        write(house, "UPDATE users SET data_key = ? WHERE id = ?", right, alice.id)
        await house.starts()
        await alice.hears("Kept, and")
        assert await house.lines(alice) == ["I kept the ticket."]


async def test_files_and_memory_are_private(house_of_its_own: Make) -> None:
    before = os.umask(0)
    try:
        async with house_of_its_own() as house:
            await house.told()
            for path in house.bot.data_dir.iterdir():
                if path.name.startswith("ajar.db"):
                    assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
            if sys.platform == "linux":
                assert re.search(r"Max core file size +0 +0 ", limits_of(house.bot.pid))
    finally:
        os.umask(before)


def limits_of(pid: int) -> str:
    return Path(f"/proc/{pid}/limits").read_text()


def write(house: House, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(house.bot.data_dir / "ajar.db", timeout=10)) as connection:
        connection.execute(statement, values)
        connection.commit()


async def test_postgresql_gets_no_automatic_key(tmp_path: Path, postgres: PostgresServer) -> None:
    async with postgres.new() as url, stand_in() as telegram:
        config = tmp_path / "config"
        env = {"AJAR_DATABASE_URL": url, "XDG_CONFIG_HOME": str(config), "AJAR_MASTER_KEY": ""}
        bot = start_bot(telegram, tmp_path / "data", **env)
        await bot.begin()
        assert bot._process
        assert await asyncio.wait_for(bot._process.wait(), 60) == 2
        assert "ajar keys new" in bot.output
        assert not config.exists()


async def test_second_machines_own_key_is_refused(tmp_path: Path, postgres: PostgresServer) -> None:
    async with postgres.new() as url, stand_in() as telegram:
        env = {"AJAR_DATABASE_URL": url, "AJAR_LISTEN": f"127.0.0.1:{free_port()}"}
        async with start_bot(telegram, tmp_path / "one", **env) as first:
            await telegram.until(lambda: "ready" in first.output, seconds=60)
            assert "ready" in first.output
            elsewhere = {**env, "AJAR_LISTEN": f"127.0.0.1:{free_port()}"}
            second = start_bot(telegram, tmp_path / "two", **elsewhere, AJAR_MASTER_KEY=OTHER.text)
            await second.begin()
            assert second._process
            assert await asyncio.wait_for(second._process.wait(), 60) == 2
            assert "version 1 is another key" in second.output


async def test_background_work_ties_old_lines(house_of_its_own: Make) -> None:
    async with house_of_its_own() as house:
        alice, _ = await house.told("The moss came back first.")
        assert await house.bot.stop() == 0
        ((wrapped, muted),) = house.stored("SELECT data_key, muted FROM users WHERE id = ?", alice.id)
        ring = KeyRing.parse(TEST_KEY)
        before = ring.wrap(ring.unwrap(wrapped, alice.id), alice.id, tied=False)
        values = (before, "work", alice.id)
        write(house, "UPDATE users SET data_key = ?, muted = NULL, muted_themes = ? WHERE id = ?", *values)
        write(house, "DELETE FROM notes WHERE name = ?", TIED)
        await house.starts()
        await house.logs("rows.tied")
        ((wrapped, again, plain),) = house.stored("SELECT data_key, muted, muted_themes FROM users")
        assert wrapped[:1] == b"\x02"
        assert (len(again), plain) == (len(muted), "")
        await alice.says("And then the fern.")
        await alice.hears("a line to this question already")
        assert await house.lines(alice) == ["The moss came back first."]


async def test_damaged_data_key_loses_nothing(house_of_its_own: Make) -> None:
    """What its user sends is kept, sealed, until a backup is restored in which the key is intact."""
    async with house_of_its_own() as house:
        house.expects("key.wrong", "notice.waits")
        (alice, _), bob = await house.asked(), await house.settled("Bob")
        await types(house, "backup", "copy.db")
        with closing(sqlite3.connect(house.bot.data_dir / "ajar.db", timeout=20)) as connection, connection:
            connection.execute(
                "UPDATE users SET data_key = CAST(substr(data_key, 1, 60) || x'0000' AS BLOB) WHERE id = ?", (alice.id,)
            )
        for number in range(120):
            await alice.says(f"The heron stood there on day {number}.")
        assert min([await _answered_in(bob) for _ in range(3)]) < 1
        await house.telegram.confirmed()
        await alice.says("/help")
        await alice.hears(HELP)
        assert house.stored("SELECT count(*) FROM inbox WHERE lane = ? AND handled_at IS NULL", alice.id) == [(120,)]
        assert not any(b"heron" in file.read_bytes() for file in house.bot.data_dir.glob("ajar.db*"))
        assert house.bot.output.count("key.wrong") == 1
        assert await house.bot.stop() == 0
        await types(house, "restore", "copy.db")
        alice._acts()
        await house.starts()
        await alice.hears("Kept, and")
        assert await house.lines(alice) == ["The heron stood there on day 0."]
        await until(lambda: not house.stored("SELECT 1 FROM inbox WHERE handled_at IS NULL"), "all are handled")


async def _answered_in(person: Person) -> float:
    """Seconds."""
    began = asyncio.get_running_loop().time()
    await person.says("/help")
    await person.hears(HELP)
    return asyncio.get_running_loop().time() - began
