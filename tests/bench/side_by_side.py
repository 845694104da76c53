"""Ajar beside bare bots: all of them run at once, and each round measures one after the other.

So a busy moment of the machine hits all of them, and what counts is the median of the rounds.
"""

import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.clock import SystemClock
from tests.bench.contestants import Running, ajar, echo
from tests.bench.crowd import FIRST_PERSON, Crowd, Heard
from tests.bench.seeds import seed
from tests.standin import Telegram, stand_in

AT_ONCE = 64
DELAY = 0.05
RATE = 100
WARM_UP = 200
FAST, SLOW, STEADY = AT_ONCE * 16, AT_ONCE * 8, RATE * 4
SLOW_ONE_BY_ONE = 100
"""Texts of a round with the delay, for a bot that answers them one by one: each waits for all before it."""

Start = Callable[[Telegram, Path], AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def _echo(kind: str, telegram: Telegram, _folder: Path) -> AsyncIterator[Running]:
    async with echo(telegram, kind) as running:
        yield running


CONTESTANTS: dict[str, Start] = {
    "Ajar": ajar,
    "PTB, our network": partial(_echo, "network"),
    "aiogram": partial(_echo, "aiogram"),
    "PTB, by default": partial(_echo, "bare"),
}


@dataclass
class Figures:
    """What the rounds measured of one contestant; rates in answers per second, times in milliseconds, memory in MiB."""

    slow_rates: list[float] = field(default_factory=list)
    fast_rates: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    steady: list[Heard] = field(default_factory=list)
    memory: float = 0.0

    @property
    def slow(self) -> float:
        """Answers per second with the delay."""
        return statistics.median(self.slow_rates)

    @property
    def fast(self) -> float:
        """Answers per second without a delay."""
        return statistics.median(self.fast_rates)

    @property
    def cpu(self) -> float:
        """Processor time of an answer."""
        return statistics.median(self.cpus)

    def within(self, percent: float) -> float:
        """The time within which so many in a hundred are answered, at a steady rate."""
        return statistics.median(heard.percentile(percent) for heard in self.steady)


@dataclass
class _Contestant:
    telegram: Telegram
    running: Running
    crowd: Crowd
    slow_texts: int
    figures: Figures = field(default_factory=Figures)

    async def play(self) -> None:
        """Measure one round. For Ajar every text comes from a different person, who was just asked."""
        figures = self.figures
        figures.steady.append(await self.crowd.steadily(RATE, STEADY))
        before = self.running.cpu
        figures.fast_rates.append((await self.crowd.at_once(AT_ONCE, FAST)).rate)
        figures.cpus.append(1000 * (self.running.cpu - before) / FAST)
        await self.telegram.fault("*", "slow", times=-1, seconds=DELAY)
        figures.slow_rates.append((await self.crowd.at_once(AT_ONCE, self.slow_texts)).rate)
        await self.telegram.no_faults()
        figures.memory = self.running.rss


async def measure(folder: Path, rounds: int) -> dict[str, Figures]:
    """Return the figures of each contestant, Ajar's first."""
    people = WARM_UP + rounds * (FAST + SLOW + STEADY)
    async with AsyncExitStack() as stack:
        contestants: dict[str, _Contestant] = {}
        for name, start in CONTESTANTS.items():
            if start is ajar:
                now = SystemClock().now()
                await seed(folder / "ajar.db", first=FIRST_PERSON, count=people, now=now, asked=True)
            telegram = await stack.enter_async_context(stand_in())
            running = await stack.enter_async_context(start(telegram, folder))
            crowd = Crowd(telegram)
            await crowd.at_once(AT_ONCE, WARM_UP)
            one_by_one = name == "PTB, by default"
            contestants[name] = _Contestant(telegram, running, crowd, SLOW_ONE_BY_ONE if one_by_one else SLOW)
        for _ in range(rounds):
            for contestant in contestants.values():
                await contestant.play()
        return {name: contestant.figures for name, contestant in contestants.items()}
