"""The work of several writers is committed together, and each of them sees it as if they were alone."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from bot.storage import group_commit
from bot.storage.engine import SqliteDatabase
from bot.storage.troubles import is_passing
from tests.databases import sqlite_url


class House:
    """A database with one table of names, written by many at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.database = SqliteDatabase(sqlite_url(file))
        self.commits = 0

    async def write(self, name: str, *, fails: bool = False, first: bool = False) -> None:
        async with (self.database.writing_first if first else self.database.writing)() as connection:
            await connection.exec_driver_sql("INSERT INTO names VALUES (?)", (name,))
            await asyncio.sleep(0)
            if fails:
                raise LookupError(name)

    def names(self) -> set[str]:
        """The names as another process sees them."""
        with closing(sqlite3.connect(self.file)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM names")}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    file = tmp_path / "names.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE names (name TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE letters (name TEXT REFERENCES names (name) DEFERRABLE INITIALLY DEFERRED)")
    house = House(file)

    def count(_connection: object) -> None:
        house.commits += 1

    event.listen(Engine, "commit", count)
    yield house
    event.remove(Engine, "commit", count)
    await house.database.close()


async def write_at_once(house: House, count: int) -> None:
    async def write(name: str) -> None:
        await house.write(name)
        assert name in house.names(), "it returned before it was committed"

    await asyncio.gather(*(write(str(n)) for n in range(count)))
    assert len(house.names()) == count


async def test_writers_share_a_commit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_SHORTEST", 60)
    await write_at_once(house, 40)
    assert house.commits < 20


async def test_long_round_ends_although_others_wait(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_SHORTEST", 0)
    monkeypatch.setattr(group_commit, "_COMMITS", 0)
    await write_at_once(house, 40)
    assert house.commits == 40


async def test_single_writer_commits_alone(house: House) -> None:
    for n in range(3):
        await house.write(str(n))
    assert house.commits == 3


async def test_patient_writer_shares_the_next_commit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_SHORTEST", 60)

    async def write_patiently(name: str) -> None:
        await house.database.share_commit(60)
        await house.write(name)

    patient = asyncio.create_task(write_patiently("patient"))
    await asyncio.sleep(0)
    await house.write("urgent")
    await patient
    assert house.names() == {"urgent", "patient"}
    assert house.commits == 1


async def test_patient_writer_does_not_wait_forever(house: House) -> None:
    await house.database.share_commit(0.01)
    await house.write("alone")
    assert house.names() == {"alone"}


async def test_first_one_waits_for_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the next turn, and ends the round."""
    monkeypatch.setattr(group_commit, "_SHORTEST", 60)
    waiting = [asyncio.create_task(house.write(str(n))) for n in range(10)]
    await asyncio.sleep(0)
    await house.write("first", first=True)
    assert house.names() == {"0", "first"}
    await asyncio.gather(*waiting)
    assert house.commits == 2


async def test_cancelled_as_its_turn_comes() -> None:
    turns = group_commit._Turns()
    await turns.acquire()
    waiting = asyncio.create_task(turns.acquire())
    await asyncio.sleep(0)
    turns.release()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    await asyncio.wait_for(turns.acquire(), 10)


@pytest.mark.parametrize("failing", [0, 1, 5, 9])
async def test_failed_writer_undoes_nobody_elses_work(house: House, failing: int) -> None:
    writes = (house.write(str(n), fails=n == failing) for n in range(10))
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, LookupError) for result in results] == [n == failing for n in range(10)]
    assert house.names() == {str(n) for n in range(10) if n != failing}


async def test_sql_error_undoes_nobody_elses_work(house: House) -> None:
    results = await asyncio.gather(*(house.write(name) for name in "abcab"), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 3 + [IntegrityError] * 2
    assert house.names() == set("abc")


@pytest.mark.parametrize("cancelled", [0, 1, 5, 9])
async def test_cancelled_writer_leaves_nothing(house: House, cancelled: int) -> None:
    """Cancelled in the middle of a statement, a connection is unusable, and so is what it had begun."""
    tasks = [asyncio.create_task(house.write(str(n))) for n in range(10)]
    for _ in range(cancelled + 2):
        await asyncio.sleep(0.001)
    tasks[cancelled].cancel()
    await asyncio.wait(tasks)
    others = {str(n): task.exception() for n, task in enumerate(tasks) if not task.cancelled()}
    assert all(error is None or is_passing(error) for error in others.values()), others
    done = {name for name, error in others.items() if error is None}
    assert done <= house.names() <= done | {str(cancelled)}
    await asyncio.wait_for(house.write("after"), 10)


async def test_all_cancelled_leaves_nothing_open(house: House) -> None:
    for moment in range(12):
        tasks = [asyncio.create_task(house.write(f"{moment}.{n}")) for n in range(4)]
        await asyncio.sleep(moment / 2000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.wait_for(house.write(f"after {moment}"), 10)
        with closing(sqlite3.connect(house.file, timeout=5, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")


async def test_failed_commit_reaches_every_writer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_SHORTEST", 60)

    async def orphan() -> None:
        async with house.database.writing() as connection:
            await connection.exec_driver_sql("INSERT INTO letters VALUES ('nobody')")

    results = await asyncio.gather(house.write("a"), orphan(), house.write("b"), return_exceptions=True)
    assert [type(result) for result in results] == [IntegrityError] * 3
    assert house.names() == set()
    await house.write("c")
    assert house.names() == {"c"}


async def test_sqlite_rollback_is_not_committed(house: House) -> None:
    async def gives_up() -> None:
        async with house.database.writing() as connection:
            await connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(Exception, match="given up"):
        await gives_up()
    await house.write("after")


async def test_closing_commits_work_in_progress(house: House) -> None:
    writes = [asyncio.create_task(house.write(str(n))) for n in range(5)]
    await asyncio.sleep(0)
    await asyncio.wait_for(house.database.close(), 10)
    await asyncio.gather(*writes)
    assert len(house.names()) == 5


async def test_tidying_waits_for_its_turn(house: House) -> None:
    await asyncio.gather(*(house.write(str(n)) for n in range(5)), house.database.sweep(), house.write("x"))
    assert len(house.names()) == 6
