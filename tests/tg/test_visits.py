"""What a text costs SQLite: few visits to its thread, and no more after a flood of texts than before it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.storage.sqlite import Connection
from bot.tg.turn import Handling, UpdateProcessor
from tests.silence.world import A, Beginning, World


async def test_kept_line_takes_two_visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[str] = []
    visit, process = Connection.work, UpdateProcessor.process

    async def noted_visit(self: Connection, work: object, *arguments: object) -> object:
        visits.append("visit")
        return await visit(self, work, *arguments)  # type: ignore[arg-type]

    async def noted_process(self: UpdateProcessor, update: object, handling: Handling, arrived: float | None) -> None:
        visits.clear()
        await process(self, update, handling, arrived)  # type: ignore[arg-type]
        turns.append(len(visits))

    turns: list[int] = []
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path) as world:
        await world.says(A, "/today")
        monkeypatch.setattr(Connection, "work", noted_visit)
        monkeypatch.setattr(UpdateProcessor, "process", noted_process)
        await world.says(A, "The dog waited at the door.")
    assert turns == [3], "everything is read in one visit and written in another; the third is the commit"


FLOOD = 3000
"""How many texts somebody has sent before."""


async def test_text_after_a_flood_costs_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody waits for the single writer. So what one person has sent lately may not be gone through each time."""
    steps: list[str] = []
    visit = Connection.work

    async def counted(self: Connection, work: Callable[..., object], *arguments: object) -> object:
        def counting(connection: sqlite3.Connection, *arguments: object) -> object:
            connection.set_progress_handler(lambda: steps.append("ten instructions"), 10)
            return work(connection, *arguments)

        return await visit(self, counting, *arguments)

    async def costs(world: World) -> int:
        """Return the cost of the cheapest of three texts, as housekeeping goes on beside them."""
        found = []
        for number in range(3):
            steps.clear()
            await world.says(A, f"And {number} more.")
            found.append(len(steps))
        return min(found)

    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        await world.says(A, "The dog waited at the door.")
        await world.says(A, "It did so again.")
        monkeypatch.setattr(Connection, "work", counted)
        before = await costs(world)
        with closing(sqlite3.connect(tmp_path / "life" / "ajar.db", timeout=20)) as connection, connection:
            multiply(connection, "drafts")
            multiply(connection, "traces", waits="'draft'")
            multiply(connection, "ask_messages")
            multiply(connection, "inbox", lane="NULL", raw="NULL")
        after = await costs(world)
    assert min(before, after) > 10, "nothing was counted"
    assert after < before * 1.2, "an index is missing"


def multiply(connection: sqlite3.Connection, table: str, **changed: str) -> None:
    """Copy a row thousands of times, with other ids."""
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    new = dict.fromkeys(("id", "message_id", "subject_id", "card_id"), "-number") | changed
    connection.execute(  # every name comes from this file or from the schema
        f"WITH RECURSIVE numbers(number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM numbers LIMIT {FLOOD})"  # noqa: S608
        f" INSERT INTO {table} SELECT {', '.join(new.get(name, name) for name in columns)}"
        f" FROM numbers, (SELECT * FROM {table} LIMIT 1)"
    )
    assert connection.execute("SELECT changes()").fetchone() == (FLOOD,)
