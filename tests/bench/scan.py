"""What finding due people takes, with more and more of them, beside APScheduler with a job for each."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.clock import SystemClock
from bot.library import content_folder, load
from bot.services.asks import Asks
from bot.storage.schema import users
from bot.storage.store import Store
from tests.bench.contestants import ROOT
from tests.bench.daily import outbox_at, store_at, timed
from tests.bench.report import Step
from tests.bench.seeds import seed_many
from tests.bench.sizes import Sizes

DUE = 50
"""People that are due at once: as many as Ajar plans in a transaction."""


@dataclass(frozen=True)
class Scanned:
    """The results for one number of people; times in milliseconds."""

    look: float
    """A look that finds nothing."""
    due: float
    """Fifty are due: until Ajar has committed their questions and next times, and APScheduler has run their jobs."""


@dataclass(frozen=True)
class Grown:
    """How far APScheduler came with adding jobs."""

    count: int
    seconds: float
    memory: float
    """In MiB."""


@dataclass(frozen=True)
class Scan:
    ours: dict[int, Scanned]
    theirs: dict[int, Scanned]
    """Without the numbers of people for which APScheduler wasn't ready in time."""
    grown: dict[int, Grown]


async def measure(people: Path, sizes: Sizes, step: Step) -> Scan:
    """Alternate between the two. In `people` are databases that other parts of the run use as well."""
    now, scan = SystemClock().now(), Scan({}, {}, {})
    async with _jobs() as jobs:
        for count in sizes.scanned:
            file = await seed_many(people / str(count) / "ajar.db", count=count, now=now)
            grown = scan.grown[count] = Grown(**await jobs.answer("grow", count, sizes.jobs_seconds))
            await _measure(file, jobs, count, sizes, scan, ready=grown.count == count)
            step()
            if grown.count < count:
                break
        for count in sizes.scanned[len(scan.ours) :]:  # APScheduler has come no further
            file = await seed_many(people / str(count) / "ajar.db", count=count, now=now)
            await _measure(file, jobs, count, sizes, scan, ready=False)
            step()
    return scan


async def _measure(file: Path, jobs: "_Jobs", count: int, sizes: Sizes, scan: Scan, *, ready: bool) -> None:
    now, asks = SystemClock().now(), Asks(load(content_folder()))
    looks: list[float] = []
    dues: list[float] = []
    their_looks: list[float] = []
    their_dues: list[float] = []
    async with outbox_at(file, now) as outbox:
        for _ in range(sizes.looks):
            looks.append(await timed(outbox._is_due))
            if ready:
                their_looks.append(await jobs.answer("look"))
    async with store_at(file) as store:
        for number in range(max(3, sizes.rounds)):
            await _let_be_due(store, number * DUE, now)
            began = time.perf_counter()
            assert (await asks.plan_due(store, now)).looked_at == DUE
            dues.append(1000 * (time.perf_counter() - began))
            if ready:
                their_dues.append(await jobs.answer("due", DUE))
    scan.ours[count] = Scanned(statistics.median(looks), statistics.median(dues))
    if ready:
        scan.theirs[count] = Scanned(statistics.median(their_looks), statistics.median(their_dues))


async def _let_be_due(store: Store, after: int, now: datetime) -> None:
    """Let the next fifty people be due now."""
    some = users.c.id.in_(range(after + 1, after + DUE + 1))
    async with store.writing() as rows:
        values = {"next_ask_at": now, "next_ask_day": now.date()}
        await rows._connection.execute(update(users).where(some).values(values))


@dataclass
class _Jobs:
    """The process with the jobs."""

    process: asyncio.subprocess.Process

    async def answer(self, *order: object) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{' '.join(map(str, order))}\n".encode())
        return json.loads(await self.process.stdout.readline())


@asynccontextmanager
async def _jobs() -> AsyncIterator[_Jobs]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.jobs", cwd=ROOT, stdin=pipe, stdout=pipe
    )
    try:
        yield _Jobs(process)
    finally:
        process.kill()
        await process.wait()
