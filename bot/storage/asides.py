"""Databases that restores have put aside. We keep them for a while, or until a user in them erases everything."""

import contextlib
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.storage.backup import connect_to, remove

STAMP: Final = "%Y%m%d-%H%M%S"
_ASIDE: Final = re.compile(r"\.before-restore-(\d{8}-\d{6}|\d+)")


def asides(database: Path) -> dict[Path, datetime]:
    """Return the files that were put aside, and when each of them was."""
    found = {}
    for file in named_like(database):
        if name := _ASIDE.fullmatch(file.name[len(database.name) :]):
            found[file] = _when(name[1], file)
    return found


def remove_asides_before(database: Path, moment: datetime) -> None:
    for file, when in asides(database.resolve()).items():
        if when < moment:
            remove(file)


def remove_asides_with(database: Path, user_id: int) -> None:
    """Remove the files that contain this user, and those that we can't read to find out."""
    for file in asides(database.resolve()):
        if _may_hold(file, user_id):
            remove(file)


def named_like(database: Path) -> list[Path]:
    """Return the database and all files whose names start with its name."""
    return [file for file in database.parent.iterdir() if file.name.startswith(database.name)]


def _may_hold(file: Path, user_id: int) -> bool:
    try:
        with closing(connect_to(file, "ro")) as connection:
            return bool(connection.execute("SELECT 1 FROM users WHERE id = ?", (user_id,)).fetchall())
    except sqlite3.Error:
        return True


def _when(stamp: str, file: Path) -> datetime:
    with contextlib.suppress(ValueError):
        return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)  # an earlier version put a number into the name
