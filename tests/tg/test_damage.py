"""Words whose bytes were changed on the disk are shown as damaged, and nothing else is affected."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.silence.world import BEFORE, A, B, Beginning, World

KETTLE = "The kettle sang before I did."
DAMAGED = "(damaged, can't be read any more)"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    beginning = await Beginning.make(tmp_path)
    async with beginning.life(tmp_path / "life") as world:
        await world.says(A, "/today")
        await world.says(A, KETTLE)
        yield world


def changes(tmp_path: Path, what: str, row: int = 0) -> None:
    """Flip a bit in the sealed words of this row, or of the newest one."""
    table, column = what.split(".")
    when = {"lines": "kept_at", "users": "created_at"}[table]
    (file,) = (tmp_path / "life").rglob("*.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        query = f"SELECT id, {column} FROM {table} WHERE ? IN (0, id) ORDER BY {when} DESC"  # noqa: S608
        row, sealed = connection.execute(query, (row,)).fetchone()
        broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (broken, row))  # noqa: S608


def last(world: World, user_id: int) -> str:
    said = [json.loads(call.params) for call in world.recorder.seen[user_id]]
    return next(str(params["text"]) for params in reversed(said) if "text" in params)


async def test_damaged_line_breaks_no_list(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes(tmp_path, "lines.words")
    await world.says(A, "/share")
    shown = last(world, A)
    assert DAMAGED in shown
    assert BEFORE[:20] in shown
    logged = capsys.readouterr().out
    assert logged.count("incident=") == 1
    assert "kettle" not in logged


async def test_damaged_line_can_be_deleted(world: World, tmp_path: Path) -> None:
    changes(tmp_path, "lines.words")
    (delete,) = [one for one in world.recorder.buttons(A) if one[1].startswith("v1:delete:")][-1:]
    await world.taps(A, *delete)
    assert DAMAGED in last(world, A)
    (erase,) = [one for one in world.recorder.buttons(A) if one[1].startswith("v1:erase_line:")][-1:]
    await world.taps(A, *erase)
    await world.says(A, "/share")
    assert DAMAGED not in last(world, A)


async def test_edit_repairs_a_damaged_line(world: World, tmp_path: Path) -> None:
    changes(tmp_path, "lines.words")
    await world.edits(A, world.said[A][-1], "The kettle was first.")
    await world.says(A, "/share")
    assert "The kettle was first." in last(world, A)


async def test_damaged_name_breaks_no_screen(world: World, tmp_path: Path) -> None:
    changes(tmp_path, "users.name", B)
    for user_id in (A, B):
        await world.says(user_id, "/settings")
        assert "Time" in last(world, user_id)
        await world.says(user_id, "/share")
        assert "Something went wrong" not in last(world, user_id)
