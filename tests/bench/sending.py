"""Questions that are due together, sent as fast as possible beside a bare loop, and sent at the pace for a minute."""

import asyncio
import math
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.delivery.pacer import RATE
from bot.demo.calls import Calls
from tests.bench.contestants import ROOT, ajar
from tests.bench.crowd import FIRST_PERSON, know, uncollected
from tests.bench.postgres import durable_postgres
from tests.bench.report import Step
from tests.bench.seeds import seed
from tests.bench.sizes import Sizes
from tests.databases import PostgresServer, sqlite_url
from tests.standin import Telegram, stand_in

UNPACED = (sys.executable, "-m", "tests.bench.unpaced")
PATIENCE = 300.0
PART_ON_POSTGRES = 4
"""On PostgreSQL Ajar sends a fourth, since only the rate counts and each takes longer."""
AJAR, ON_POSTGRES, RAW, RAW_COMMITTED = "Ajar", "Ajar, PostgreSQL", "aiohttp", "aiohttp and sqlite3"


class _Sends(Calls):
    """The stand-in's log of calls, which also keeps when each message was sent, in seconds."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(calls._now)
        self.at: list[float] = []

    def add(self, method: str, params: dict[str, Any], status: int, result_or_error: Any, *, ok: bool) -> None:
        super().add(method, params, status, result_or_error, ok=ok)
        if method == "sendMessage" and ok:
            self.at.append(time.perf_counter())


@dataclass
class Sent:
    """What the rounds measured of one contestant."""

    rates: list[float] = field(default_factory=list)
    """Messages a second, from the first to the last of a round."""
    cpus: list[float] = field(default_factory=list)
    """Milliseconds of processor time a message; none of a contestant whose process ends with the last one."""

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu(self) -> float | None:
        return statistics.median(self.cpus) if self.cpus else None


async def measure(folder: Path, sizes: Sizes, step: Step) -> dict[str, Sent]:
    """In each round every contestant writes to the same people by the same stand-in, one contestant after the other."""
    found = {name: Sent() for name in (AJAR, ON_POSTGRES, RAW, RAW_COMMITTED)}
    count = math.ceil(sizes.asks / sizes.rounds)
    async with durable_postgres() as server:
        for number in range(sizes.rounds):
            place = folder / str(number)
            async with stand_in() as telegram:
                know(telegram, range(FIRST_PERSON, FIRST_PERSON + count))
                await _ask_all(telegram, place, None, count, found[AJAR])
                step()
                await _ask_on_postgres(telegram, place, server, math.ceil(count / PART_ON_POSTGRES), found[ON_POSTGRES])
                step()
                for name, file in ((RAW, ()), (RAW_COMMITTED, (str(place / "raw.db"),))):
                    await _send_raw(telegram, count, file, found[name])
                    step()
    return found


async def _ask_on_postgres(telegram: Telegram, place: Path, server: PostgresServer, count: int, into: Sent) -> None:
    async with server.new() as url:
        await _ask_all(telegram, place / "postgres", url, count, into)


async def _ask_all(telegram: Telegram, place: Path, postgres: str | None, count: int, into: Sent) -> None:
    """Start Ajar when this many people are due, and wait until all are asked."""
    url, now = postgres or sqlite_url(place / "ajar.db"), SystemClock().now()
    await seed(url, first=FIRST_PERSON, count=count, now=now, due=count)
    sends = _watch(telegram)
    with uncollected():
        async with ajar(telegram, place, postgres=postgres, command=UNPACED) as running:
            await _until(telegram, sends, 1)
            before, early = running.cpu, len(sends.at)
            await _until(telegram, sends, count)
            into.cpus.append(1000 * (running.cpu - before) / max(1, count - early))
    into.rates.append(_rate(sends.at))


async def _send_raw(telegram: Telegram, count: int, file: Sequence[str], into: Sent) -> None:
    sends = _watch(telegram)
    arguments = [telegram.token, telegram.url, str(FIRST_PERSON), str(count), *file]
    with uncollected():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.raw_sender", *arguments, cwd=ROOT
        )
        await asyncio.wait_for(process.wait(), PATIENCE)
    assert process.returncode == 0
    assert len(sends.at) == count
    into.rates.append(_rate(sends.at))


def _watch(telegram: Telegram) -> _Sends:
    telegram.world.calls = sends = _Sends(telegram.world.calls)
    return sends


async def _until(telegram: Telegram, sends: _Sends, count: int) -> None:
    await telegram.until(lambda: len(sends.at) >= count, seconds=PATIENCE)
    assert len(sends.at) >= count, f"{len(sends.at)} of {count} were sent"


def _rate(at: Sequence[float]) -> float:
    return (len(at) - 1) / (at[-1] - at[0])


@dataclass(frozen=True)
class Kept:
    """How the pace was kept."""

    rate: float
    """Messages a second."""
    fullest: int
    """The most messages within any second, wherever it begins."""


async def keep_pace(folder: Path, sizes: Sizes, step: Step) -> Kept:
    """Run Ajar as it is by default, with more questions due than it may send meanwhile."""
    seconds, now = sizes.pace_seconds, SystemClock().now()
    due = int(RATE * (seconds + 5))
    await seed(sqlite_url(folder / "ajar.db"), first=FIRST_PERSON, count=due, now=now, due=due)
    async with stand_in() as telegram:
        know(telegram, range(FIRST_PERSON, FIRST_PERSON + due))
        sends = _watch(telegram)
        with uncollected():
            async with ajar(telegram, folder):
                await _until(telegram, sends, 1)
                step()
                await asyncio.sleep(seconds)
    at = [moment for moment in sends.at if moment <= sends.at[0] + seconds]
    return Kept(_rate(at), max(bisect_left(at, begin + 1) - index for index, begin in enumerate(at)))
