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
from tests.bench.postgres import durable_postgres
from tests.bench.report import Step
from tests.bench.seeds import seed
from tests.bench.sizes import Sizes
from tests.databases import PostgresServer, sqlite_url
from tests.standin import Telegram, stand_in

AT_ONCE = 64
DELAY = 0.05
RATE = 100

AJAR, NETWORK, AIOGRAM, CONCURRENT, BARE = "Ajar", "PTB, our network", "aiogram", "PTB, 64 at once", "PTB, by default"


@dataclass(frozen=True)
class Place:
    """Where a contestant may put its database, and how many people have to be in it."""

    folder: Path
    server: PostgresServer
    people: int


Start = Callable[[Telegram, Place], AbstractAsyncContextManager[Running]]


@asynccontextmanager
async def _echo(kind: str, telegram: Telegram, _place: Place) -> AsyncIterator[Running]:
    async with echo(telegram, kind) as running:
        yield running


@asynccontextmanager
async def _on_sqlite(telegram: Telegram, place: Place, *, webhook: bool = False) -> AsyncIterator[Running]:
    await _seed(sqlite_url(place.folder / "ajar.db"), place)
    async with ajar(telegram, place.folder, webhook=webhook) as running:
        yield running


@asynccontextmanager
async def _on_postgres(telegram: Telegram, place: Place, *, webhook: bool = False) -> AsyncIterator[Running]:
    async with place.server.new() as url:
        await _seed(url, place)
        async with ajar(telegram, place.folder, postgres=url, webhook=webhook) as running:
            yield running


async def _seed(url: str, place: Place) -> None:
    await seed(url, first=FIRST_PERSON, count=place.people, now=SystemClock().now(), asked=True)


CONTESTANTS: dict[str, Start] = {
    AJAR: _on_sqlite,
    "Ajar, webhook": partial(_on_sqlite, webhook=True),
    "Ajar, PostgreSQL": _on_postgres,
    "Ajar, PostgreSQL, webhook": partial(_on_postgres, webhook=True),
    NETWORK: partial(_echo, "network"),
    AIOGRAM: partial(_echo, "aiogram"),
    "aiogram, webhook": partial(_echo, "aiogram-webhook"),
    CONCURRENT: partial(_echo, "concurrent"),
    BARE: partial(_echo, "bare"),
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
        """The time within which a given percentage is answered, at a steady rate."""
        return statistics.median(heard.percentile(percent) for heard in self.steady)


@dataclass
class _Contestant:
    telegram: Telegram
    running: Running
    crowd: Crowd
    sizes: Sizes
    slow_texts: int
    figures: Figures = field(default_factory=Figures)

    async def play(self) -> None:
        """Measure one round. For Ajar every text comes from a different person, who was just asked."""
        figures, fast = self.figures, self.sizes.fast
        figures.steady.append(await self.crowd.steadily(RATE, RATE * self.sizes.steady_seconds))
        before = self.running.cpu
        figures.fast_rates.append((await self.crowd.at_once(AT_ONCE, fast)).rate)
        figures.cpus.append(1000 * (self.running.cpu - before) / fast)
        await self.telegram.fault("*", "slow", times=-1, seconds=DELAY)
        figures.slow_rates.append((await self.crowd.at_once(AT_ONCE, self.slow_texts)).rate)
        await self.telegram.no_faults()
        figures.memory = self.running.rss


async def measure(folder: Path, sizes: Sizes, step: Step) -> dict[str, Figures]:
    """Return the figures of each contestant, Ajar's first."""
    people = sizes.warm_up + sizes.rounds * (sizes.fast + sizes.slow + RATE * sizes.steady_seconds)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(durable_postgres())
        contestants: dict[str, _Contestant] = {}
        for name, start in CONTESTANTS.items():
            telegram = await stack.enter_async_context(stand_in())
            place = Place(folder / str(len(contestants)), server, people)
            running = await stack.enter_async_context(start(telegram, place))
            crowd = Crowd(telegram)
            await crowd.at_once(AT_ONCE, sizes.warm_up)
            slow_texts = sizes.one_by_one if name == BARE else sizes.slow
            contestants[name] = _Contestant(telegram, running, crowd, sizes, slow_texts)
            step()
        for _ in range(sizes.rounds):
            for contestant in contestants.values():
                await contestant.play()
                step()
        return {name: contestant.figures for name, contestant in contestants.items()}
