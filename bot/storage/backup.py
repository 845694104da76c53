"""Copies of an SQLite database, made while it is in use, and put back; and who may use its file."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.storage.migrate import HEAD


class BackupError(Exception):
    """A copy can't be made or put back; the sentence says why and what to do."""


class InUse(Exception):
    """Another Ajar works with this database."""

    def __init__(self, what: Path | str) -> None:
        super().__init__(f"Another Ajar is using {what}. Stop it first; two would send everything twice.")


@contextmanager
def sole_user(database: Path) -> Iterator[None]:
    """Keep every other Ajar off this database. The system lets go of the lock when the process dies. Raises InUse."""
    path = database.with_name(database.name + ".lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(database) from None
        yield
    finally:
        os.close(handle)


def back_up(database: Path, target: Path) -> None:
    """Copy the database as it is at one moment to `target`, which must not exist. Raises BackupError."""
    if not database.is_file():
        raise BackupError(f"There is no database at {database}.")
    if target.exists():
        raise BackupError(f"{target} is there already; name a file that isn't.")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(unfinished)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    _sync(unfinished)
    unfinished.rename(target)
    _sync(target.parent)


def restore(copy: Path, database: Path) -> Path | None:
    """Put a copy in the database's place. Where the one that was there is kept now, if there was one.

    The caller must be its `sole_user`. Raises BackupError.
    """
    _check(copy)
    database.parent.mkdir(parents=True, exist_ok=True)
    arriving = database.with_name(database.name + ".arriving")
    arriving.unlink(missing_ok=True)
    back_up(copy, arriving)
    before = _put_aside(database)
    arriving.rename(database)
    _sync(database.parent)
    return before


def _check(copy: Path) -> None:
    if not copy.is_file():
        raise BackupError(f"There is no file {copy}.")
    try:
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        raise BackupError(f"{copy} is not a backup of Ajar.") from None
    if sound != "ok":
        raise BackupError(f"{copy} is damaged. Take an earlier one.")
    if version and version[0] > HEAD:
        raise BackupError(f"{copy} was made by a newer Ajar (version {version[0]}, this one knows up to {HEAD}).")


def _put_aside(database: Path) -> Path | None:
    if not database.exists():
        return None
    with closing(sqlite3.connect(database)) as connection:  # what is still in the log belongs to it
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    number = 1
    while (aside := database.with_name(f"{database.name}.before-restore-{number}")).exists():
        number += 1
    database.rename(aside)
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    return aside


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
