"""Database errors that are about the database itself: a sentence for operators, and whether waiting may help.

Errors about a statement or its data, like a violated constraint, have no sentence here. No sentence contains the value
of a setting, except the path of an SQLite file.
"""

import os
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from bot.crypto import KeyMismatch


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem of the database."""

    sentence: str
    passes: bool
    """Whether it may go away by itself. If not, somebody has to do something."""


class Unreachable(ConnectionError):
    """PostgreSQL could not be connected to."""


class Taken(ConnectionError):
    """Another process has the database to itself for a while; the message says what for."""


_SQLITE: Final[dict[str, tuple[str, bool]]] = {
    "SQLITE_FULL": ("The disk that holds {file} is full. Make room on it.", True),
    "SQLITE_BUSY": ("Another program is keeping {file} locked.", True),
    "SQLITE_LOCKED": ("Another program is keeping {file} locked.", True),
    "SQLITE_IOERR": ("The disk that holds {file} can't be read or written ({code}). Look at the disk.", True),
    "SQLITE_READONLY": ("{file} can't be written to. Let this user write to it and to its folder.", False),
    "SQLITE_NOTADB": ("{file} is not an SQLite database. Name another file, or restore a backup.", False),
    "SQLITE_CORRUPT": ("{file} is damaged. Restore a backup: ajar restore FILE", False),
    "SQLITE_PERM": ("{file} can't be used by this user. Let it read and write the file.", False),
    "SQLITE_AUTH": ("{file} can't be used by this user. Let it read and write the file.", False),
}

_A_PAGE: Final = 65_536
"""The most bytes of disk that SQLite takes at once."""

# https://www.postgresql.org/docs/current/errcodes-appendix.html; the longest matching prefix counts.
_POSTGRES: Final[dict[str, tuple[str, bool]]] = {
    "08": ("The connection to PostgreSQL broke.", True),
    "25006": ("PostgreSQL accepts no writes now, like a standby.", True),
    "25P03": ("PostgreSQL ended a transaction that was idle for too long.", True),
    "28": ("PostgreSQL refuses the user or the password in AJAR_DATABASE_URL.", False),
    "3D000": ("PostgreSQL has no database of the name in AJAR_DATABASE_URL. Make it with createdb.", False),
    "3F000": ("PostgreSQL has no schema in which tables could be made. Type in psql: CREATE SCHEMA public", False),
    "40001": ("PostgreSQL aborted the transaction because of a conflict with another one.", True),
    "40P01": ("PostgreSQL aborted the transaction because of a conflict with another one.", True),
    "42501": ("The user in AJAR_DATABASE_URL lacks rights in its database. Let that user own the database.", False),
    "53": ("PostgreSQL is short of something ({code}).", True),
    "53100": ("PostgreSQL's disk is full. Make room on it.", True),
    "53300": ("PostgreSQL has no connection left for Ajar.", True),
    "55P03": ("Something else is keeping rows in PostgreSQL locked.", True),
    "57014": ("PostgreSQL took too long and gave up on a statement.", True),
    "57P": ("PostgreSQL is starting or stopping.", True),
    "57P04": ("The database named in AJAR_DATABASE_URL was dropped.", False),
    "58": ("PostgreSQL can't use its own files ({code}). Look at its log.", True),
    "XX001": ("PostgreSQL's data are damaged. Restore a backup.", False),
    "XX002": ("PostgreSQL's data are damaged. Restore a backup.", False),
}


def trouble_of(error: BaseException, file: Path | None = None) -> Trouble | None:
    """Return the database's trouble behind `error`; None if it is about something else. `file` is SQLite's."""
    for each in _and_causes(error):
        if isinstance(each, Taken):
            return Trouble(str(each), passes=True)
        found = _of_sqlite(each, file) if isinstance(each, sqlite3.Error) else _of_postgres(each)
        if found:
            return found
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Trouble("The connection to the database broke.", passes=True)
    return None


def is_passing(error: BaseException) -> bool:
    """Return whether the same request may work later, because the database and not the request is at fault.

    This includes troubles that somebody has to fix first. Until then we don't give up on any request.
    """
    kinds = OperationalError | InterfaceError | ConnectionError | TimeoutError | KeyMismatch
    return isinstance(error, kinds) or trouble_of(error) is not None


def _and_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, the driver's error that SQLAlchemy wrapped in it, and their causes."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = getattr(following, "orig", None) or following.__cause__


def _of_sqlite(error: sqlite3.Error, file: Path | None) -> Trouble | None:
    code = getattr(error, "sqlite_errorname", None) or ""
    name = str(file) if file else "The database"
    if code.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and file and _is_full(file.parent):
        code = "SQLITE_FULL"
    if code.startswith("SQLITE_CANTOPEN"):
        return Trouble(_cannot_open(file) if file else "The database can't be opened.", passes=False)
    for beginning, (sentence, passes) in _SQLITE.items():
        if code.startswith(beginning):
            return Trouble(sentence.format(file=name, code=code), passes)
    return None


def _cannot_open(file: Path) -> str:
    if file.is_dir():
        return f"{file} is a folder, and the database must be a file. Name another path, or move the folder away."
    if not file.parent.is_dir():
        return f"The folder {file.parent} of the database isn't there."
    if os.statvfs(file.parent).f_flag & os.ST_RDONLY:
        return f"The folder {file.parent} is on a disk that can only be read. Name one that can be written to."
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return f"The folder {file.parent} can't be written to. Let this user write to it."
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return f"{file} can't be opened. Let this user read and write it."
    return f"{file}, or a file that SQLite needs beside it, can't be opened or made. Look at the disk."


def _is_full(folder: Path) -> bool:
    """Return whether there is no room for another page of the database or its logs, or for another file."""
    if not folder.is_dir():
        return False
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        return False
    counts_files = disk.f_files > 0
    return disk.f_bavail * disk.f_frsize < _A_PAGE or (counts_files and not disk.f_favail)


def _of_postgres(error: BaseException) -> Trouble | None:
    if isinstance(error, Unreachable):
        return _unreachable(error)
    if isinstance(error, NoConnectionLeft):
        return Trouble("All connections to the database are in use.", passes=True)
    if type(error).__name__ == "ClientConfigurationError":  # asyncpg's; we don't import asyncpg with SQLite
        return Trouble("AJAR_DATABASE_URL has an option that doesn't work; look at what follows the ?.", passes=False)
    state = getattr(error, "sqlstate", None) or ""
    for length in (5, 3, 2):
        if found := _POSTGRES.get(state[:length]):
            sentence, passes = found
            return Trouble(sentence.format(code=state), passes)
    return None


def _unreachable(error: Unreachable) -> Trouble:
    reason, passes = _why(error.__cause__)
    return Trouble(f"PostgreSQL can't be reached: {reason}.", passes)


def _why(error: BaseException | None) -> tuple[str, bool]:
    """Return the reason, and whether waiting may help."""
    if isinstance(error, ssl.SSLError):
        what = "its certificate" if isinstance(error, ssl.SSLCertVerificationError) else "its encryption"
        return f"{what} can't be relied on; look at sslmode in AJAR_DATABASE_URL", False
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return "what answers there offers no encryption, or isn't PostgreSQL; look at AJAR_DATABASE_URL", False
    return _why_for_now(error), True


def _why_for_now(error: BaseException | None) -> str:
    if isinstance(error, socket.gaierror):
        return "the name of its host is not known"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if type(error).__name__ == "TargetServerAttributeNotMatched":  # asyncpg's
        return "none of its hosts accepts writes now"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return "the connection broke"
