"""Checks whether an SQLite database can be written to, on its own connection and without changing anything."""

import sqlite3
from contextlib import closing
from pathlib import Path

_PATIENCE = 5.0
"""Seconds to wait for another writer."""


def try_to_write(file: Path) -> bool:
    """Write and roll back. Return False if somebody else holds the write lock all the time.

    Raises sqlite3.Error if the database can't be written to.
    """
    with closing(sqlite3.connect(file, timeout=_PATIENCE)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE doctor (x)")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            return False
        finally:
            connection.rollback()
    return True
