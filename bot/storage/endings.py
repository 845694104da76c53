"""The journal of endings: what was erased, unpaired, taken back or deleted, kept apart from the database's backups.

A backup doesn't know what ended after it was made. Whoever restores one reads here what has, and ends it again. There
are no words in the journal and no ids, only hashes of ids by the master key. An ending is written, for good, before the
transaction that makes it is committed: whatever was acknowledged stands here. One that stands here without having been
committed, as after a power cut, is what somebody wanted, too.

The database notes up to where it has had the endings of which journal, so that a backup tells which ones it lacks.
"""

import fcntl
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from bot.crypto import KeyRing
from bot.private import OWNER_ALONE
from bot.storage.backup import give_to_owner_of, make_folder, reason, sync

_FILE: Final = "endings"
_HEAD: Final = "ajar-endings-1"
_HASH_BYTES: Final = 16
_TAIL: Final = 1024
"""Bytes in which the last line surely lies."""


class JournalAway(ConnectionError):
    """The journal can't be written to now: nothing ends before it can."""


class Ended(StrEnum):
    """What has ended."""

    ERASED = "erased"  # a user
    UNPAIRED = "unpaired"  # a Pair, by a user
    WITHDRAWN = "withdrawn"  # a Reflection
    DELETED = "deleted"  # a Line
    CHANGED = "changed"  # the words or the time of a Reflection that was shared
    RITUAL = "ritual"  # a Ritual, agreed or proposed


@dataclass(frozen=True, slots=True)
class Ending:
    """One line of the journal: what has ended, the version of the master key that hashed the ids, and the hashes."""

    kind: Ended
    version: int
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, keys: KeyRing, kind: Ended, *ids: int) -> "Ending":
        return cls(kind, keys.current, tuple(hashed(keys, kind, place, each) for place, each in enumerate(ids)))

    @property
    def text(self) -> str:
        return f"{self.kind} {self.version} {' '.join(self.hashes)}"

    @classmethod
    def parse(cls, text: str) -> "Ending":
        """Raises ValueError."""
        kind, version, *hashes = text.split(" ")
        return cls(Ended(kind), int(version), tuple(hashes))


def hashed(keys: KeyRing, kind: Ended, place: int, number: int, *, version: int | None = None) -> str:
    """What stands in the journal for this id."""
    return keys.digest(f"endings/{kind}/{place}", str(number), version=version)[:_HASH_BYTES].hex()


class Journal:
    """The file, a line an ending. Several processes may append to it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / _FILE

    def append(self, endings: Sequence[Ending]) -> str:
        """Write these down for good. Where the journal ends now, for `since`. Raises JournalAway."""
        try:
            return self._append(endings)
        except OSError as error:
            raise JournalAway(f"{self.file} can't be written: {reason(error)}.") from error

    def _append(self, endings: Sequence[Ending]) -> str:
        make_folder(self.file.parent)
        handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ALONE)
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            give_to_owner_of(self.file.parent, self.file)
            head = file.readline()
            if not head.endswith(b"\n"):
                head = f"{_HEAD} {secrets.token_hex(8)}\n".encode()
                file.truncate(0)
                file.seek(0)
                file.write(head)
                file.flush()
            last = _go_to_end(file)
            for number, ending in enumerate(endings, last + 1):
                file.write(f"{number} {ending.text}\n".encode())
            file.flush()
            os.fsync(handle)
        sync(self.file.parent)
        return f"{head.decode().split()[1]} {last + len(endings)}"

    def since(self, known: str | None) -> list[Ending] | None:
        """The endings after what `append` said then. None where it can't be told which those are.

        So it is where the journal is missing or damaged, is another one, or doesn't reach as far as it did.
        """
        journal, _, number = (known or "").partition(" ")
        try:
            head, *lines = self.file.read_bytes().decode("ascii").split("\n")[:-1]  # a torn last line is none
            if head != f"{_HEAD} {journal}" or int(number) > len(lines):
                return None
            return [_numbered(line, place) for place, line in enumerate(lines, 1) if place > int(number)]
        except (FileNotFoundError, ValueError):
            return None


def _go_to_end(file: BinaryIO) -> int:
    """Go behind the last whole line, after which a torn one is cut off. Its number; 0 where there is the head alone."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    file.seek(start)
    whole, _, _ = file.read().rpartition(b"\n")
    file.seek(start + len(whole) + 1)
    file.truncate()
    last = whole.rpartition(b"\n")[2].split(b" ")[0]
    return int(last) if last.isdigit() else 0


def _numbered(line: str, place: int) -> Ending:
    number, _, ending = line.partition(" ")
    if number != str(place):
        raise ValueError("a line is missing")
    return Ending.parse(ending)
