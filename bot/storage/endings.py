"""The journal of endings: what was erased, unpaired, taken back or deleted, kept apart from the database's backups.

A backup doesn't know what ended after it was made. A restore reads those endings here and applies them again. The
journal contains no words and no ids, only hashes of ids made with the master key. We write and sync an ending before
its transaction commits, so every acknowledged ending is here. An ending that is here but was never committed, for
example because of a power cut, is still something that a user wanted.

The database notes which journal it uses and how many of its endings it has, so that a backup shows which ones it lacks.

Endings carry no time. From time to time we write the date between them, so that endings older than any backup in use
can be dropped. To drop them, we write a new journal beside the old one and rename it into place; a process that was
waiting for the lock then checks whether its open file is still the one with that name.
"""

import fcntl
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, Self

from bot.crypto import KeyRing
from bot.private import OWNER_ALONE, sync, write_new
from bot.storage.backup import give_to_owner_of, make_folder, reason

_FILE: Final = "endings"
_UNFINISHED: Final = "endings.unfinished"
_UNFIT: Final = "endings.unfit"
"""The name of a journal that was put aside because it can't be continued."""
_HEAD: Final = "ajar-endings-1"
_DAY: Final = "day"
_HASH_BYTES: Final = 16
_TAIL: Final = 1024
"""The last line always fits into this many bytes at the end of the file."""


class JournalAway(ConnectionError):
    """The journal can't be written now. Until it can, nothing can end."""


class Ended(StrEnum):
    """The kinds of endings."""

    ERASED = "erased"  # a user
    UNPAIRED = "unpaired"  # a Pair, by a user
    WITHDRAWN = "withdrawn"  # a Reflection
    DELETED = "deleted"  # a Line
    CHANGED = "changed"  # a shared Reflection's words, time or Wish
    RITUAL = "ritual"  # a Ritual, agreed or proposed


@dataclass(frozen=True, slots=True)
class Ending:
    """One line of the journal: what ended, the version of the master key that hashed the ids, and the hashes."""

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
    """Return the hash of an id as the journal contains it."""
    return keys.digest(f"endings/{kind}/{place}", str(number), version=version)[:_HASH_BYTES].hex()


class Gap(StrEnum):
    """Why a journal may not know everything that has ended since a copy was made."""

    NEVER = "the database had no journal of endings then"
    MISSING = "it isn't there"
    OTHER = "it is another one than the database knew then"
    SHORT = "it doesn't reach as far as it did then"
    DAMAGED = "it is damaged"
    DROPPED = "it no longer reaches back as far"
    KEY = "part of it needs a version of the master key that isn't there"


UNFIT: Final = frozenset({Gap.SHORT, Gap.DAMAGED})
"""Gaps after which a journal can't be continued, as its numbers would repeat or can't be read."""


RESTORED: Final = frozenset({Gap.DROPPED, Gap.KEY})
"""Gaps that only a restored database has: the journal goes on after it, but not all of that is known."""


@dataclass(frozen=True, slots=True)
class Since:
    """The endings since a copy was made, as far as the journal knows."""

    endings: tuple[Ending, ...] = ()
    gap: Gap | None = None
    """Why there may be more endings than these."""


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of the file: the journal's name, the number of its first line, and the lines."""

    name: str
    first: int
    lines: tuple[str, ...]

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Raises ValueError."""
        head, *numbered = content.decode("ascii").split("\n")[:-1]  # a torn last line doesn't count
        kind, name = head.split(" ")
        first = int(numbered[0].partition(" ")[0]) if numbered else 1
        lines = [_numbered(line, number) for number, line in enumerate(numbered, first)]
        if kind != _HEAD or (first != 1 and _day(lines[0]) is None):
            raise ValueError("the beginning is missing")
        return cls(name, first, tuple(lines))

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    @property
    def bytes(self) -> bytes:
        lines = (f"{number} {line}" for number, line in enumerate(self.lines, self.first))
        return "".join(f"{line}\n" for line in (f"{_HEAD} {self.name}", *lines)).encode()

    def gap(self, known: str | None) -> Gap | None:
        """Return why the journal may not know everything that ended after the `known` position; None if it does."""
        if known is None:
            return Gap.NEVER
        if not known.startswith(f"{self.name} "):
            return Gap.OTHER
        if _number(known) > self.last:
            return Gap.SHORT
        return Gap.DROPPED if _number(known) < self.first - 1 else None

    def after(self, number: int) -> tuple[Ending, ...]:
        lines = self.lines[max(0, number + 1 - self.first) :]
        return tuple(Ending.parse(line) for line in lines if _day(line) is None)

    def marked(self, today: date) -> Self:
        """Return a copy with today's date added, if something has ended since the last date."""
        marks = [day for line in self.lines if (day := _day(line))]
        if (self.lines and _day(self.lines[-1])) or today in marks[-1:]:
            return self
        return type(self)(self.name, self.first, (*self.lines, f"{_DAY} {today}"))

    def without(self, before: date) -> Self:
        """Return a copy without the endings before that day, starting with the date from which it is complete."""
        old = [place for place, line in enumerate(self.lines) if (day := _day(line)) and day < before]
        start = old[-1] if old else 0
        return type(self)(self.name, self.first + start, self.lines[start:])


class Journal:
    """The journal's file, with one line per ending. Several processes can append to it. Failures raise JournalAway."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / _FILE

    def append(self, endings: Sequence[Ending]) -> str:
        """Write these endings to disk. Return the position where the journal now ends, for `since`."""
        with self._alone() as file:
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
            os.fsync(file.fileno())
            sync(self.file.parent)
        return f"{head.decode().split()[1]} {last + len(endings)}"

    def since(self, known: str | None, versions: Collection[int] | None = None) -> Since:
        """Return the endings after a position that `append` returned.

        `versions` are the versions of the master key that we have, or None if the caller doesn't know.
        """
        try:
            content = _Content.parse(self._read())
            endings = content.after(_number(known))
        except FileNotFoundError:
            return Since(gap=Gap.MISSING if known else Gap.NEVER)
        except ValueError:
            return Since(gap=Gap.DAMAGED)
        gap = content.gap(known)
        if gap is None and versions is not None and not {each.version for each in endings} <= set(versions):
            gap = Gap.KEY
        return Since(endings if gap in {None, Gap.DROPPED, Gap.KEY} else (), gap)

    def begin(self, today: date, known: str | None) -> None:
        """Create the journal if there is none. If it can't be continued after the `known` position, put it aside first.

        Several processes may do this at once: the first one puts it aside, the others continue the new one.
        """
        with self._alone():
            if self.since(known).gap in UNFIT:
                unfit = self.file.with_name(_UNFIT)
                unfit.unlink(missing_ok=True)
                write_new(unfit, self.file.read_bytes())
                give_to_owner_of(self.file.parent, unfit)
                self._replace(_Content(secrets.token_hex(8), 1, ()).marked(today))
        self.append(())
        self.tidy(today, date.min)

    def tidy(self, today: date, before: date) -> None:
        """Write today's date, and drop the endings before a day."""
        with self._alone() as file:
            try:
                found = _Content.parse(file.read())
                tidied = found.marked(today).without(before)
            except ValueError:  # leave it as it is for a person or the next start
                return
            if tidied != found:
                self._replace(tidied)

    def reaches_back_to(self) -> date | None:
        """Return the day since which the journal is complete, or None if it doesn't say."""
        try:
            lines = _Content.parse(self._read()).lines
        except (FileNotFoundError, ValueError):
            return None
        return _day(lines[0]) if lines else None

    def _read(self) -> bytes:
        """Return the content. Raises FileNotFoundError, also for a file that was just created and is still empty."""
        try:
            content = self.file.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise JournalAway(f"{self.file} can't be read: {reason(error)}.") from error
        if b"\n" not in content:
            raise FileNotFoundError
        return content

    @contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        """Open the file, creating it if necessary, and lock it so that nobody else changes it."""
        try:
            make_folder(self.file.parent)
            while True:
                handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ALONE)
                with os.fdopen(handle, "r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if self._is(handle):
                        give_to_owner_of(self.file.parent, self.file)
                        yield file
                        return
        except JournalAway:
            raise
        except OSError as error:
            raise JournalAway(f"{self.file} can't be written: {reason(error)}.") from error

    def _is(self, handle: int) -> bool:
        """Return whether the open file is still the one with the journal's name."""
        try:
            return os.path.samestat(os.fstat(handle), self.file.stat())
        except FileNotFoundError:
            return False

    def _replace(self, content: _Content) -> None:
        """Replace the journal while the old one is locked. Whenever we are killed, one of the two is there."""
        place = self.file.resolve()
        unfinished = place.with_name(_UNFINISHED)
        unfinished.unlink(missing_ok=True)
        write_new(unfinished, content.bytes)
        give_to_owner_of(place.parent, unfinished)
        unfinished.replace(place)
        sync(place.parent)


def _go_to_end(file: BinaryIO) -> int:
    """Go to the end of the last complete line, cutting off a torn one after it, and return the line's number.

    The number is 0 if there is only the header.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    file.seek(start)
    whole, _, _ = file.read().rpartition(b"\n")
    file.seek(start + len(whole) + 1)
    file.truncate()
    last = whole.rpartition(b"\n")[2].split(b" ")[0]
    return int(last) if last.isdigit() else 0


def _numbered(line: str, number: int) -> str:
    """Return the line without its number. Raises ValueError if the number is a different one."""
    found, _, rest = line.partition(" ")
    if found != str(number):
        raise ValueError("a line is missing")
    return rest


def _day(line: str) -> date | None:
    """Return the date that a line contains, or None for an ending. Raises ValueError."""
    kind, _, day = line.partition(" ")
    return date.fromisoformat(day) if kind == _DAY else None


def _number(known: str | None) -> int:
    return int((known or "").partition(" ")[2] or 0)
