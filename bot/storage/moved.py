"""Says which databases no bot may use, because they were moved or are still being copied into (bot.storage.copying)."""

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.engine import single_engine
from bot.storage.schema import notes

MOVED: Final = "moved"
"""The name of the note in a database that was moved. It holds where to, and when."""
ARRIVING: Final = "arriving"
"""The name of the note in a database that is still being copied into. It holds how far copying got."""


class Moved(Exception):
    """No bot may use the database: it was moved, or is still being copied into. The message says what to do."""


UNFINISHED: Final = (
    "This database is the unfinished copy of another one. With the settings of the other one, type the same "
    "`ajar move` again: it goes on where it was."
)


def gone(moved: str) -> str:
    """Return what to tell an operator about a database with this note."""
    place, day = json.loads(moved)
    return (
        f"This database was moved to {place} on {day}; name that one in AJAR_DATABASE_URL. To use this one again, "
        "without anything that has happened since, stop the bot there first, and type: ajar move --back"
    )


async def refuse_moved(connection: AsyncConnection) -> None:
    """Raise Moved if no bot may use this database."""
    if await noted(connection, ARRIVING) is not None:
        raise Moved(UNFINISHED)
    if (moved := await noted(connection, MOVED)) is not None:
        raise Moved(gone(moved))


def refuse_moved_file(file: Path) -> None:
    """Like `refuse_moved`, before anything else is done with an SQLite database. Other troubles with it show later."""
    if not file.exists():
        return
    names = (ARRIVING, MOVED)
    with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
        found = dict(connection.execute("SELECT name, value FROM notes WHERE name IN (?, ?)", names))
        if ARRIVING in found:
            raise Moved(UNFINISHED)
        if MOVED in found:
            raise Moved(gone(found[MOVED]))


async def take_back(url: str) -> tuple[str, str] | None:
    """Let bots use a moved database again. Return where it was moved to and on which day, if it was."""
    engine = single_engine(url)
    try:
        async with engine.begin() as connection:
            moved = await noted(connection, MOVED)
            await connection.execute(delete(notes).where(notes.c.name == MOVED))
    finally:
        await engine.dispose()
    if moved is None:
        return None
    place, day = json.loads(moved)
    return place, day


async def noted(connection: AsyncConnection, name: str) -> str | None:
    """Return what one of the two notes holds, or None if it isn't there."""
    return (await connection.execute(select(notes.c.value).where(notes.c.name == name))).scalar_one_or_none()
