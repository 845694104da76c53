"""Alarms ring in time, whatever happens to the clock."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import Clock, HandClock, SystemClock
from bot.delivery.alarms import BEAT, LOOK_EVERY, Alarms

NEVER = timedelta(minutes=10)


class Bell:
    """Remembers when it rang, by the loop's clock."""

    def __init__(self) -> None:
        self.rings: list[float] = []
        self._rang = asyncio.Event()

    def ring(self) -> None:
        self.rings.append(asyncio.get_running_loop().time())
        self._rang.set()

    async def next(self, seconds: float = 5) -> float:
        self._rang.clear()
        await asyncio.wait_for(self._rang.wait(), seconds)
        return self.rings[-1]

    async def tidy(self) -> None:
        self.ring()


@pytest.fixture
async def alarms() -> AsyncIterator[list[Alarms]]:
    made: list[Alarms] = []
    yield made
    for each in made:
        each.stop()


def start(
    made: list[Alarms],
    clock: Clock,
    bell: Bell,
    *,
    beat: timedelta = NEVER,
    on_jump: Callable[[], None] | None = None,
) -> Alarms:
    alarms = Alarms(clock, bell.ring, bell.tidy, beat=beat, on_jump=on_jump)
    alarms.start()
    made.append(alarms)
    return alarms


async def test_alarm_rings_at_the_earliest(alarms: list[Alarms]) -> None:
    bell = Bell()
    clock = HandClock(datetime(2030, 1, 1, tzinfo=UTC))  # another time than the machine's
    alarm = start(alarms, clock, bell)
    began = asyncio.get_running_loop().time()
    alarm.wake_by(clock.now() + timedelta(seconds=0.9))
    alarm.wake_by(clock.now() + timedelta(seconds=0.3))
    earliest = SystemClock().now() + timedelta(seconds=0.3)
    alarm.wake_by(clock.now() + timedelta(seconds=0.6))  # not earlier: nothing changes
    assert alarm._scheduler.get_job("wake").next_run_time <= earliest
    assert 0.25 <= await bell.next() - began <= 2
    alarm.wake_by(clock.now() + timedelta(seconds=0.2))
    await bell.next(2)


async def test_overdue_alarm_rings_at_once(alarms: list[Alarms]) -> None:
    bell = Bell()
    alarm = start(alarms, SystemClock(), bell)
    alarm.wake_by(datetime(2020, 1, 1, tzinfo=UTC))
    await bell.next(2)


async def test_beat_ignores_the_clock(alarms: list[Alarms], capsys: pytest.CaptureFixture[str]) -> None:
    bell = Bell()
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    alarm = start(alarms, clock, bell, beat=timedelta(seconds=0.05))
    alarm.wake_by(clock.now() + timedelta(hours=1))
    for hours in (5, -9):
        clock.advance(timedelta(hours=hours))
        before = len(bell.rings)
        while len(bell.rings) < before + 2:
            await bell.next(2)
    alarm.wake_by(clock.now() + timedelta(hours=1))
    said = capsys.readouterr()
    assert (said.out + said.err).count("clock.jumped") >= 2


async def test_frequent_beat_looks_every_second() -> None:
    """Otherwise a clock that is moved by hand would keep the processor busy with looks at the database."""
    bell, beat = Bell(), timedelta(seconds=0.25)
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    alarm = Alarms(clock, bell.ring, bell.tidy, beat=beat)
    rings = []
    for step in [beat] * 9 + [timedelta(hours=1)] + [beat] * 4:
        clock.advance(step)
        alarm._beat()
        rings.append(len(bell.rings))
    assert rings == [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4], "a jump is looked at at once"


async def test_every_beat_looks_by_default() -> None:
    bell, clock = Bell(), HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    alarm = Alarms(clock, bell.ring, bell.tidy)
    for _ in range(3):
        clock.advance(BEAT)
        alarm._beat()
    assert len(bell.rings) == 3


async def test_jump_sets_the_alarms_again(alarms: list[Alarms]) -> None:
    bell, clock, jumps = Bell(), HandClock(datetime(2026, 1, 1, tzinfo=UTC)), list[datetime]()
    alarm = start(alarms, clock, bell, on_jump=lambda: jumps.append(clock.now()))
    alarm.wake_by(clock.now() + timedelta(minutes=1))
    clock.advance(NEVER)
    alarm._beat()
    assert not jumps, "as long as a beat has passed"
    clock.advance(timedelta(hours=-5))
    alarm._beat()
    assert jumps == [clock.now()]
    alarm.wake_by(clock.now() + timedelta(hours=1))  # the earlier moment is of the clock before
    due = {job.id: job.next_run_time - SystemClock().now() for job in alarm._scheduler.get_jobs()}
    assert due.keys() == {"wake", "look", "tidy"}
    assert timedelta(minutes=59) < due["wake"] <= timedelta(hours=1)
    assert due["look"] <= LOOK_EVERY


async def test_alarm_that_comes_late_rings_all_the_same(alarms: list[Alarms]) -> None:
    """The machine may have slept, or the loop may have been busy for a second."""
    alarm = start(alarms, SystemClock(), Bell())
    alarm.wake_by(datetime(2030, 1, 1, tzinfo=UTC))
    assert {job.misfire_grace_time for job in alarm._scheduler.get_jobs()} == {None}
    assert alarm._scheduler.get_job("look").trigger.interval == LOOK_EVERY


async def test_housekeeping_runs_every_hour(alarms: list[Alarms]) -> None:
    bell = Bell()
    alarm = start(alarms, SystemClock(), bell)
    job = alarm._scheduler.get_job("tidy")
    await job.func()
    assert bell.rings
    following = job.next_run_time
    assert following - SystemClock().now() <= timedelta(hours=1)
    assert job.trigger.get_next_fire_time(following, following + timedelta(seconds=1)) - following == timedelta(hours=1)


async def test_stopped_alarm_rings_no_more() -> None:
    bell = Bell()
    alarm = Alarms(SystemClock(), bell.ring, bell.tidy, beat=timedelta(seconds=0.02))
    alarm.start()
    await bell.next()
    alarm.stop()
    before = len(bell.rings)
    await asyncio.sleep(1.1)
    assert len(bell.rings) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0), f"no alarm left for process {os.getpid()}"
