"""Backups as earlier versions of Ajar made them: plain SQLite files, at first without a checksum, later with one."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path


def back_up_as_before(database: Path, target: Path, *, signed: bool = True) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        if signed:
            copy.execute(f"PRAGMA application_id={0x416A6172}")
    if signed:
        content = bytearray(target.read_bytes())
        content[60:64] = bytes(4)
        content[60:64] = zlib.crc32(content).to_bytes(4)
        target.write_bytes(content)
