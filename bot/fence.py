"""Keeps a process that was frozen from acting on claims that others have taken over."""

import time
from collections.abc import Callable
from typing import Final

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady() -> float:
    """Return the seconds of a clock that nobody sets, and that runs on while the process or the machine sleeps."""
    return time.clock_gettime(_CLOCK)


class Fence:
    """Open while no other process can have taken over what this one has claimed.

    With SQLite it is always open, because there is no other process; with PostgreSQL it has to be renewed.
    """

    def __init__(self, now: Callable[[], float] = steady, until: float = float("inf")) -> None:
        """Begin open until `until`, in seconds of the clock `now`."""
        self._now = now
        self._until = until

    @property
    def is_open(self) -> bool:
        return self._now() < self._until

    def renew(self, until: float) -> None:
        """Keep it open until then, unless it was closed."""
        if self._until >= 0:
            self._until = until

    def close(self) -> None:
        """Close it for good."""
        self._until = -1.0
