"""The only place that reads the time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Everything that needs `now` is given one."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FileClock:
    """The machine's clock moved by the seconds written in a file, for the demo and the tests.

    If the file is missing or half-written, the last offset read counts (0 at first), because another process writes the
    file and may be in the middle of it.
    """

    def __init__(self, path: Path, base: Clock | None = None) -> None:
        self._path = path
        self._base = base or SystemClock()
        self._offset = timedelta()
        self._stamp: tuple[int, int] | None = None

    def now(self) -> datetime:
        self._read_offset()
        return self._base.now() + self._offset

    def _read_offset(self) -> None:
        try:
            found = self._path.stat()
            if (stamp := (found.st_mtime_ns, found.st_ino)) == self._stamp:
                return
            self._offset = timedelta(seconds=float(self._path.read_text()))
        except (FileNotFoundError, ValueError):
            return
        self._stamp = stamp


class HandClock:
    """A clock that moves only by hand, for tests and simulations."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = moment.astimezone(UTC)

    def advance(self, step: timedelta) -> None:
        self._now += step
