"""Alarms on APScheduler. They hold nobody's schedule: they ring, and the outbox reads from the rows what is due.

One rings at the earliest due moment, one every few seconds in any case, and a cron job does the housekeeping. There is
also a timer of the operating system, the beat. APScheduler waits for a moment on the clock, so it would wait too long
if somebody set the clock back. The beat notices that the clock has jumped, and sets the alarms again.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import Clock, SystemClock

LOOK_EVERY: Final = timedelta(seconds=5)
"""How often we look for something due, whatever the alarms say."""
BEAT: Final = timedelta(seconds=1)
"""How often we check whether the clock has jumped, and look for something due. Only this check finds what a jump has
made due, at the same time whatever other users do. Otherwise two people on a jumping clock could notice each other's
activity."""
_JUMP: Final = timedelta(seconds=3)
_RULES: Final = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

log = structlog.stdlib.get_logger(__name__)


class Alarms:
    """Rings `ring` when something may be due, and calls `tidy` every hour."""

    def __init__(
        self,
        clock: Clock,
        ring: Callable[[], None],
        tidy: Callable[[], Awaitable[None]],
        *,
        beat: timedelta = BEAT,
        on_jump: Callable[[], None] | None = None,
    ) -> None:
        """`beat` is how often we check whether the clock has jumped, if that is more often than we look.

        `on_jump` is called when it has, so that code waiting for a time can start over.
        """
        self._clock = clock
        self._ring = ring
        self._tidy = tidy
        self._beat_every = beat
        self._beats_until_look = self._beats_between_looks = max(1, round(BEAT / beat))
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=_RULES)
        self._last_beat = clock.now()
        self._machine = SystemClock()
        self._next: datetime | None = None
        self._on_jump = on_jump

    def start(self) -> None:
        self._scheduler.start()
        self._wind()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGALRM, self._beat)
        signal.siginterrupt(signal.SIGALRM, False)  # don't interrupt system calls in other threads
        seconds = self._beat_every.total_seconds()
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGALRM)
        self._scheduler.shutdown(wait=False)

    def wake_by(self, moment: datetime) -> None:
        """Ring at `moment` on the bot's clock, unless an earlier ring is already set."""
        if self._next is not None and self._next <= moment:
            return
        self._next = moment
        wait = max(moment - self._clock.now(), timedelta())
        trigger = DateTrigger(self._machine.now() + wait)
        self._scheduler.add_job(self._woken, trigger, id="wake", replace_existing=True)

    async def _woken(self) -> None:
        self._next = None
        self._ring()

    async def _look(self) -> None:
        self._ring()

    async def _keep_house(self) -> None:
        await self._tidy()

    def _wind(self) -> None:
        """Set all alarms by the current time."""
        now = self._machine.now()
        trigger = IntervalTrigger(seconds=int(LOOK_EVERY.total_seconds()), start_date=now)
        self._scheduler.add_job(self._look, trigger, id="look", replace_existing=True)
        self._scheduler.add_job(
            self._keep_house, CronTrigger(minute=7, timezone="UTC"), id="tidy", replace_existing=True
        )

    def _beat(self) -> None:
        """Check whether the clock has jumped, and look for something due. The operating system's timer calls this."""
        now = self._clock.now()
        jump = now - self._last_beat - self._beat_every
        self._last_beat = now
        if abs(jump) > _JUMP:
            log.warning("clock.jumped", seconds=round(jump.total_seconds()))
            self._next = None
            self._wind()
            if self._on_jump:
                self._on_jump()
            self._beats_until_look = 1
        self._beats_until_look -= 1
        if self._beats_until_look == 0:
            self._beats_until_look = self._beats_between_looks
            self._ring()
