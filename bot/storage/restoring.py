"""Replacing an SQLite database with a copy, so that one of the two is there whenever the process is killed.

The copy is first put beside the database and checked there, and then takes its place by one rename. The old database is
kept for a while under another name. Callers must be the database's `sole_user`.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError

from bot.age import decrypt, is_encrypted
from bot.crypto import CannotOpen, KeyRing
from bot.private import OWNER_ALONE, sync
from bot.storage.asides import STAMP, asides, named_like
from bot.storage.backup import (
    COPIED,
    BackupError,
    being_written,
    beside,
    connect_to,
    copy_database,
    give_to_owner_of,
    has_noted_rows,
    has_right_checksum,
    make_folder,
    reason,
    remove,
    remove_checksum,
    unfinished_of,
)
from bot.storage.columns import milliseconds
from bot.storage.migrate import HEAD, migrate
from bot.storage.schema import metadata
from bot.storage.troubles import trouble_of

_OURS: Final = frozenset({"users", "dialogs", "asks", "lines", "drafts", "pairs", "reflections", "notices"})
"""Tables that every version of Ajar has had."""
_KNOWN: Final = frozenset(
    file.name[:4] for file in (Path(__file__).parent / "migrations" / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
)
_NUMBER: Final = re.compile("[0-9]{4}")
_LOOKED_AT: Final = "verifying"
_REHEARSED_IN: Final = "rehearsal"
_LEAVING: Final = re.compile(r"\.leaving-\d{8}-\d{6}")
_NOT_OTHERS: Final = 0o660


@contextmanager
def arriving(copy: Path, database: Path, keys: KeyRing | None) -> Iterator[Path]:
    """Put a copy of `copy` beside the database, to be checked and then `put_in_place`.

    Raises BackupError if that fails or `copy` isn't a complete database of Ajar, and OtherKey.
    """
    place = _arriving(database)
    remove(place)
    try:
        take_in(copy, place, keys)
        yield place
    finally:
        remove(place)


def needs_key(copy: Path) -> bool:
    """Return whether taking in a copy requires the key ring, because it is encrypted."""
    try:
        return is_encrypted(copy)
    except OSError:
        return False  # `take_in` says why it can't be read


def take_in(copy: Path, place: Path, keys: KeyRing | None) -> None:
    """Copy `copy` to `place`, which must be empty or not exist. Changes nothing else.

    Only an encrypted copy needs `keys`. Raises BackupError, and OtherKey if it was made with another master key.
    """
    if not copy.is_file():
        raise BackupError(f"There is no file {copy}.")
    try:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, OWNER_ALONE))
        if keys is not None and is_encrypted(copy):
            decrypt(copy, place, keys)
        else:
            _take_in_plain(copy, place)
        _examine(copy, place)
    except CannotOpen:
        raise BackupError(f"{copy} is damaged, or was changed since it was made. Take an earlier one.") from None
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise BackupError(f"{copy} is not a backup of Ajar, or is damaged.") from None
        raise BackupError(f"{copy} can't be read or copied: {reason(error)}.") from None
    except OSError as error:
        raise BackupError(f"{copy} can't be read or copied: {reason(error)}.") from None


def _is_damage(error: SQLAlchemyError | sqlite3.Error) -> bool:
    """Return whether the file itself is at fault, and not what holds it."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def _take_in_plain(copy: Path, place: Path) -> None:
    """Copy a backup of an earlier version, or a database with its logs. Raises BackupError, OSError, sqlite3.Error."""
    has_log = any(log.exists() and log.stat().st_size for log in beside(copy)[:2])
    if not has_log and not has_right_checksum(copy):
        raise BackupError(f"{copy} is damaged, or was changed since it was made. Take an earlier one.")
    if not has_log:
        copy_database(copy, place, mode="ro&immutable=1")
    elif beside(copy)[2].exists():  # somebody is using it
        copy_database(copy, place, mode="ro")
    else:
        _copy_with_log(copy, place)
    remove_checksum(place)


def _copy_with_log(copy: Path, place: Path) -> None:
    """Copy a killed process's database with its logs, since SQLite would add a file if we read it in place."""
    for file, its in zip((copy, *beside(copy)), (place, *beside(place)), strict=True):
        if file.exists():
            shutil.copyfile(file, its)
    _close(place)


def _examine(copy: Path, place: Path) -> None:
    with closing(connect_to(place, "rw")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"alembic_version", *_OURS} <= tables:
            raise BackupError(f"{copy} is not a backup of Ajar.")
        version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if version not in [[(known,)] for known in _KNOWN]:
            newer = f"was made by a newer Ajar (version {version[0][0]}, this one knows up to {HEAD})"
            is_newer = len(version) == 1 and _NUMBER.fullmatch(str(version[0][0])) and version[0][0] > HEAD
            raise BackupError(f"{copy} {newer if is_newer else 'is not a backup of Ajar'}.")
        sound = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        if not sound or connection.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupError(f"{copy} is damaged. Take an earlier one.")
    if not has_noted_rows(place):
        raise BackupError(f"{copy} is damaged: rows are missing. Take an earlier one.")


async def bring_up_copy(place: Path, copy: Path) -> None:
    """Migrate a copy that was taken in to the schema of this version. Raises BackupError."""
    try:
        await migrate(url_of(place))
        fits = await asyncio.to_thread(_has_our_shape, place)
    except (SQLAlchemyError, sqlite3.Error) as error:
        if (trouble := trouble_of(error, place)) and not _is_damage(error):
            raise BackupError(trouble.sentence) from None
        fits = False
    if not fits:
        raise BackupError(f"{copy} is not a backup of Ajar, or is damaged.")


def _has_our_shape(place: Path) -> bool:
    with closing(connect_to(place, "rw")) as connection:
        for table in metadata.sorted_tables:
            found = connection.execute("SELECT name FROM pragma_table_info(?)", (table.name,))
            if {name for (name,) in found} != set(table.c.keys()):
                return False
    return True


_CARRIED: Final = ("id", "lane", "received_at", "tries", "version", "raw")


def url_of(file: Path) -> str:
    """Return the URL of an SQLite file, for SQLAlchemy."""
    return f"sqlite+aiosqlite:///{quote(str(file.absolute()))}"


def carry_unhandled(database: Path, place: Path) -> None:
    """Take over the unhandled updates in the database, since Telegram no longer has them.

    They may be waiting for a data key, and restoring that key may be the reason for the restore. Updates of users that
    the copy doesn't know, and those that a broken database can't return, are left behind. Raises sqlite3.Error if the
    copy can't be written to.
    """
    unhandled = _unhandled_in(database) if database.is_file() else []
    with closing(connect_to(place, "rw")) as copy, copy:
        known = {user_id for (user_id,) in copy.execute("SELECT id FROM users")}
        copy.executemany(
            f"INSERT OR IGNORE INTO inbox ({', '.join(_CARRIED)}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant
            [row for row in unhandled if row[1] in known],
        )


def _unhandled_in(database: Path) -> list[Any]:
    query = f"SELECT {', '.join(_CARRIED)} FROM inbox WHERE lane IS NOT NULL AND handled_at IS NULL"  # noqa: S608  # a constant
    try:
        with closing(connect_to(database, "rw")) as source:
            return source.execute(query).fetchall()
    except sqlite3.Error:
        return []


def put_in_place(place: Path, database: Path, now: datetime) -> Path | None:
    """Make the copy the database. Return where the old database is kept now, if there was one.

    Raises BackupError if the old database is in use; it then stays in place.
    """
    try:
        like = database if database.exists() else database.parent
        give_to_owner_of(like, place)
        if database.is_dir():
            raise BackupError(f"{database} is a folder; the database must be a file. Move the folder away.")
        if database.exists():
            place.chmod(database.stat().st_mode & _NOT_OTHERS)
        _close(place)
        sync(place)
        if not database.exists():
            place.replace(database)
            sync(database.parent)
            return None
        _close(database)
        leaving = _leaving(database, now)
        _keep(database, leaving)
        for log in beside(database):  # otherwise SQLite would apply them to the new database
            log.unlink(missing_ok=True)
        sync(database.parent)
        place.replace(database)
        sync(database.parent)
        return _name_aside(leaving, database)
    except OSError as error:
        raise BackupError(f"{database} can't be replaced: {reason(error)}.") from None


@contextmanager
def looked_at(folder: Path) -> Iterator[Path]:
    """Yield a place in this folder to check a copy in. Raises BackupError if somebody else is checking one there."""
    with being_written(folder / _LOOKED_AT) as place:
        yield place


@contextmanager
def empty_place(database: Path) -> Iterator[Path]:
    """Yield an empty folder beside the database, removed on exit, to rehearse a restore in.

    Raises BackupError if another rehearsal is going on, and OSError.
    """
    folder = database.with_name(_REHEARSED_IN)
    with being_written(folder):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make_folder(folder)
            yield folder
        finally:
            shutil.rmtree(folder)


def users_lacking(restored: Path, database: Path, before: datetime) -> int:
    """Return how many users who joined before a moment are missing in a restored copy. Raises BackupError.

    Whoever has brought an export from another bot joined there, but consented here.
    """
    joined = "max(created_at, consented_at) < ?"
    query = f"SELECT count(*) FROM users WHERE {joined} AND id NOT IN (SELECT id FROM restored.users)"  # noqa: S608  # a constant
    try:
        with closing(connect_to(database, "ro")) as connection:
            connection.execute("ATTACH DATABASE ? AS restored", (f"{restored.absolute().as_uri()}?mode=ro",))
            (number,) = connection.execute(query, (milliseconds(before),)).fetchone()
            return int(number)
    except sqlite3.Error as error:
        raise BackupError(f"{database} can't be compared with its backup: {reason(error)}.") from None


def begin(database: Path) -> None:
    """Finish a restore that was interrupted. To be called before a database is used or created.

    Raises BackupError if an earlier version of Ajar was interrupted in a way that left no database at all.
    """
    finish(database)
    if not database.exists() and (kept := asides(database)):
        raise BackupError(
            f"There is no database at {database}: a restore was broken off. Type ajar restore with the file that was "
            f"to be put back, or with what was there before it: {max(kept, key=kept.__getitem__)}"
        )


def finish(database: Path) -> None:
    """Finish a restore that was interrupted, or clean up after it."""
    remove(_arriving(database))
    for name in (_LOOKED_AT, COPIED):
        if unfinished_of(database.with_name(name)).exists():
            with contextlib.suppress(BackupError), being_written(database.with_name(name)):
                pass  # removes what a killed process left, but not what another one is using
    rehearsed_in = database.with_name(_REHEARSED_IN)
    if rehearsed_in.exists() or unfinished_of(rehearsed_in).exists():
        with contextlib.suppress(BackupError), empty_place(database):
            pass
    for leaving in [file for file in named_like(database) if _LEAVING.fullmatch(file.name[len(database.name) :])]:
        if database.exists() and leaving.samefile(database):  # the copy has not taken its place
            for kept, log in zip(beside(leaving), beside(database), strict=True):
                if kept.exists() and not log.exists():
                    kept.rename(log)
            remove(leaving)
            sync(database.parent)
        else:
            _name_aside(leaving, database)


def _arriving(database: Path) -> Path:
    return database.with_name(database.name + ".arriving")


def _leaving(database: Path, now: datetime) -> Path:
    """Return the name under which the database is kept until the copy has taken its place."""
    while True:
        stamp = f"{now.astimezone(UTC):{STAMP}}"
        leaving = database.with_name(f"{database.name}.leaving-{stamp}")
        if not leaving.exists() and not _aside(leaving, database).exists():
            return leaving
        now += timedelta(seconds=1)


def _aside(leaving: Path, database: Path) -> Path:
    return database.with_name(leaving.name.replace(".leaving-", ".before-restore-"))


def _close(database: Path) -> None:
    """Turn the database into a single file. One that is too broken for that stays as it is, logs included."""
    try:
        with closing(connect_to(database, "rw")) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            mode = "wal"
        else:
            raise BackupError(f"{database} can't be put aside: {reason(error)}.") from None
    except sqlite3.DatabaseError:
        return
    if mode != "delete":
        raise BackupError(f"Another program is reading {database}. End it first, and restore then.")


def _keep(database: Path, leaving: Path) -> None:
    """Give the database a second name as well, its logs first."""
    for file, kept in zip((*beside(database), database), (*beside(leaving), leaving), strict=True):
        kept.unlink(missing_ok=True)
        if not file.exists():
            continue
        try:
            kept.hardlink_to(file)
        except OSError:  # not every file system has hard links
            part = kept.with_name(kept.name + ".unfinished")
            shutil.copy2(file, part)
            give_to_owner_of(file, part)
            sync(part)
            part.rename(kept)
        kept.chmod(OWNER_ALONE)
    sync(leaving.parent)


def _name_aside(leaving: Path, database: Path) -> Path:
    aside = _aside(leaving, database)
    for log, its in zip(beside(leaving), beside(aside), strict=True):
        if log.exists():
            log.rename(its)
    leaving.rename(aside)
    sync(database.parent)
    return aside
