"""Ends this process when it no longer does its work, so that its supervisor starts a new one.

That helps if something in this process is stuck: a task that waits for something that never comes, a sender that hangs,
a lock that nobody releases, an event loop that is blocked. It doesn't help if Telegram or the database is away: then
there are tries that fail, which is progress here, and /health/ready says what is wrong.

Nothing is measured by a clock, since an operator may move it, or freeze the process, or let the laptop sleep. Work is
stuck if it makes no progress in a certain number of looks in a row while there is something to do.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bot.health import Health
from bot.logs import Safe, safe_frame
from bot.systemd import notify, watchdog_seconds

LOOK_EVERY: Final = 10.0
"""Seconds between looks at the work."""
LOOKS: Final = 30
"""Work is stuck after this many looks without progress, which is five minutes."""
BEAT_EVERY: Final = 1.0
"""Seconds between two signs of life of the event loop."""
LOOP_LOOK_EVERY: Final = 5.0
LOOP_LOOKS: Final = 24
"""The event loop is blocked after this many looks without a sign of life, which is two minutes."""
_ORDERLY: Final = 15.0
"""Seconds that a stuck process gets to close what it has open."""
_LOGGING: Final = 10.0
"""Seconds after which the process ends without a log line: what blocks the event loop may block the log, too."""

log = structlog.stdlib.get_logger(__name__)


class Stuck(Exception):
    """This process no longer does its work. The text says what."""


@dataclass(slots=True)
class Work:
    """Something that this process has to do."""

    stuck: str
    """What to say if it is stuck, for operators."""
    progress: Callable[[], Awaitable[int | None]]
    """Returns a number that changes with everything that is done or tried; None while there is nothing to do."""
    last: int | None = None
    looks: int = 0
    """How many looks in a row found no progress."""

    async def look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                now = await self.progress()
        except TimeoutError:
            now = self.last  # the count itself is stuck, unless the database is unavailable
        except Exception:  # noqa: BLE001  # the database is away, and a restart wouldn't help
            now = None
        self.looks = self.looks + 1 if now is not None and now == self.last else 0
        self.last = now


class Watchdog:
    """Checks whether work is stuck."""

    def __init__(self, works: Sequence[Work], database_is_well: Callable[[], Awaitable[bool]]) -> None:
        """`database_is_well` asks the database in a way that nothing in this process can block."""
        self._works = works
        self._database_is_well = database_is_well

    async def run(self) -> None:
        """Look until something is stuck. Raises Stuck, and ends the process soon, whatever else happens."""
        while not (stuck := await self.look()):  # noqa: ASYNC110  # there is no event for the absence of progress
            await asyncio.sleep(LOOK_EVERY)
        log.critical("watchdog.stuck", reason=Safe(stuck.stuck))
        _end_after(_ORDERLY)
        raise Stuck(f"{stuck.stuck}, so the bot ends and has to be started again.")

    async def look(self) -> Work | None:
        """Return the work that is stuck, if any is.

        During the second half of the looks the database must be well, so that work that waited for it has had time to
        go on.
        """
        for work in self._works:
            await work.look()
        suspected = [work for work in self._works if work.looks >= LOOKS // 2]
        if suspected and not await self._database_is_well():
            for work in self._works:
                work.looks = 0
        return next((work for work in suspected if work.looks >= LOOKS), None)


class Heart:
    """Beats as long as the event loop runs, for systemd and for a thread that ends the process when the beats stop."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._beats = 0
        self._stopped = threading.Event()
        self._status = ""

    async def run(self) -> None:
        """Beat until cancelled."""
        threading.Thread(target=self._listen, name="watchdog", daemon=True).start()
        within = watchdog_seconds()
        beat = min(BEAT_EVERY, within / 3) if within else BEAT_EVERY
        try:
            while True:
                self._beats += 1
                self._tell(alive=within is not None)
                await asyncio.sleep(beat)
        finally:
            self._stopped.set()

    def _tell(self, *, alive: bool) -> None:
        status = " ".join("; ".join(self._health.problems.values()).split()) or "ready"  # in one line
        facts = ["WATCHDOG=1"] if alive else []
        if status != self._status:
            facts.append(f"STATUS={status}")
            self._status = status
        if facts:
            notify(*facts)

    def _listen(self) -> None:
        """Check at each look, in a thread of its own, that there has been another beat."""
        heard, looks = -1, 0
        while not self._stopped.wait(LOOP_LOOK_EVERY):
            looks = looks + 1 if self._beats == heard else 0
            heard = self._beats
            if looks >= LOOP_LOOKS:
                _end_blocked()


def _end_after(seconds: float) -> None:
    ending = threading.Timer(seconds, os._exit, (1,))
    ending.daemon = True
    ending.start()


def _end_blocked() -> None:
    """Log where the main thread is, and end the process."""
    _end_after(_LOGGING)
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001  # there is no other way
    reason = Safe("The event loop is blocked, so the bot ends and has to be started again.")
    log.critical("watchdog.blocked", reason=reason, at=safe_frame(frame) if frame else None)
    os._exit(1)
