"""Copies an SQLite database while it is in use, and makes sure that only one Ajar uses its file.

A backup is the whole database as one file, encrypted in the age format. Earlier versions of Ajar made plain SQLite
files with a checksum in the header.
"""

import fcntl
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from bot.age import encrypt
from bot.crypto import KeyRing
from bot.private import OWNER_ALONE, sync

_OF_AJAR: Final = 0x416A6172
"""The application id in the SQLite header of an earlier version's backup, if that has a checksum."""
_APPLICATION: Final = slice(68, 72)
_CHECKSUM: Final = slice(60, 64)
"""Bytes of the SQLite header: the application id, and the user version, which the application can use freely.
https://www.sqlite.org/fileformat2.html#the_database_header"""
_HEAD: Final = 100
_CHUNK: Final = 1 << 20
_MANIFEST: Final = "backup"
"""The name of the note that holds a backup's manifest."""
COPIED: Final = "backing-up"
"""The name of the copy beside the database from which we make a backup."""


class BackupError(Exception):
    """A copy can't be made or restored; the message says why and what to do."""


class InUse(Exception):
    """Another Ajar is using this database."""

    def __init__(self, what: Path | str, advice: str = "Stop it first; two would send everything twice.") -> None:
        super().__init__(f"Another Ajar is using {what}. {advice}")


@contextmanager
def sole_user(database: Path) -> Iterator[None]:
    """Keep every other Ajar off this database, even if it gets there through a symbolic link. Raises InUse.

    The operating system releases the lock when the process dies.
    """
    database = database.resolve()
    path = database.with_name(database.name + ".lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ALONE)
    try:
        give_to_owner_of(path.parent, path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(database) from None
        yield
    finally:
        os.close(handle)


def _note_rows(copy: Path) -> None:
    """Store in a copy how many rows each table has: its manifest. An early version's database has no notes table."""
    with closing(connect_to(copy, "rw")) as connection:
        if _has_notes(connection):
            manifest = json.dumps(_count(connection))
            connection.execute("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", (_MANIFEST, manifest))
            connection.commit()


def has_noted_rows(copy: Path) -> bool:
    """Remove the manifest from a copy of a backup. Return False if the tables don't have as many rows as it says."""
    with closing(connect_to(copy, "rw")) as connection:
        if not _has_notes(connection):
            return True
        found = connection.execute("SELECT value FROM notes WHERE name = ?", (_MANIFEST,)).fetchone()
        connection.execute("DELETE FROM notes WHERE name = ?", (_MANIFEST,))
        connection.commit()
        return found is None or json.loads(found[0]) == _count(connection)


def _has_notes(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchall())


def _count(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows each table has, except `notes`, which holds the manifest itself."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    names = sorted(name for (name,) in tables if name != "notes")
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def back_up(database: Path, target: Path, keys: KeyRing) -> None:
    """Encrypt a snapshot of the database into `target`, which must not exist. Raises BackupError.

    The unencrypted copy lies beside the database, so whoever can read it can read the database as well.
    """
    if not database.is_file():
        raise BackupError(f"There is no database at {database}.")
    try:
        make_folder(target.parent)
        with being_written(target) as unfinished:
            with being_written(database.with_name(COPIED)) as copy:
                copy_database(database, copy, mode="rw")
                _note_rows(copy)
                encrypt(copy, unfinished, keys)
            sync(unfinished)
            if target.exists():
                raise BackupError(f"{target} is there already; name a file that isn't.")
            unfinished.rename(target)
            try:
                sync(target.parent)
            except OSError:
                target.unlink()  # a power cut might take it away, and it would be in the way of another try
                raise
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise BackupError(
                f"{database} is not an SQLite database. Name another file, or restore a backup."
            ) from None
        raise BackupError(f"{target} can't be written: {reason(error)}.") from None


@contextmanager
def being_written(target: Path) -> Iterator[Path]:
    """Yield an empty file to write into, under a temporary name for `target`, clearing what a killed process left.

    The temporary name is removed on exit. Raises BackupError if somebody else is writing it, and OSError.
    """
    unfinished = unfinished_of(target)
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ALONE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"{target} is being written by somebody else just now.") from None
        try:
            os.fchmod(handle, OWNER_ALONE)
            os.truncate(handle, 0)
            for log in beside(unfinished):
                log.unlink(missing_ok=True)
            give_to_owner_of(target.parent, unfinished)
            yield unfinished
        finally:
            remove(unfinished)
    finally:
        os.close(handle)


def unfinished_of(target: Path) -> Path:
    return _with(".unfinished", target)


def copy_database(database: Path, target: Path, *, mode: str) -> None:
    """Copy the current content of the database, even while it is in use. `target` becomes one file without a log."""
    with closing(connect_to(database, mode)) as source, closing(connect_to(target, "rw")) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def connect_to(file: Path, mode: str) -> sqlite3.Connection:
    """Connect to an existing file, whatever characters are in its path. Never creates one."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)


def has_right_checksum(copy: Path) -> bool:
    """Return False only if the checksum of an earlier version's backup is wrong; not all backups have one."""
    with copy.open("rb") as file:
        head = file.read(_HEAD)
    return head[_APPLICATION] != _OF_AJAR.to_bytes(4) or head[_CHECKSUM] == _checksum(copy)


def remove_checksum(copy: Path) -> None:
    """Remove the checksum and the application id that announces it, so that the file can be changed from now on."""
    with closing(connect_to(copy, "rw")) as connection:
        connection.execute("PRAGMA application_id=0")
        connection.execute("PRAGMA user_version=0")


def _checksum(copy: Path) -> bytes:
    with copy.open("rb") as file:
        head = bytearray(file.read(_HEAD))
        head[_CHECKSUM] = bytes(4)
        found = zlib.crc32(head)
        while chunk := file.read(_CHUNK):
            found = zlib.crc32(chunk, found)
    return found.to_bytes(4)


def remove(file: Path) -> None:
    """Remove a database file and the files that SQLite has put beside it."""
    for each in (file, *beside(file)):
        each.unlink(missing_ok=True)


def beside(database: Path) -> tuple[Path, Path, Path]:
    """Return the files that SQLite puts beside a database: two logs, and the index of one of them."""
    return _with("-wal", database), _with("-journal", database), _with("-shm", database)


def _with(ending: str, database: Path) -> Path:
    return database.with_name(database.name + ending)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, and any missing folders above it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        give_to_owner_of(folder.parent, folder)


def give_to_owner_of(like: Path, file: Path) -> None:
    """Give a file that root makes to the owner of `like`, so that the service can open it."""
    if os.geteuid() == 0:
        about = like.stat()
        os.chown(file, about.st_uid, about.st_gid)


def reason(error: OSError | sqlite3.Error) -> str:
    """Return the reason in the words of the operating system or SQLite, which contain nothing private."""
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
