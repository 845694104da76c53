"""The daily questions with very many people: the cost of a look, the cost of a start, and ten thousand due at once."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import HandClock, SystemClock
from bot.delivery.courier import Delivered
from bot.delivery.outbox import Outbox
from bot.delivery.pacer import Pacer
from bot.domain.notices import Notice
from bot.library import content_folder, load
from bot.services.asks import Asks
from bot.services.profile import Profile
from bot.storage.store import Store
from tests.bench.contestants import ajar
from tests.bench.crowd import FIRST_PERSON, Crowd, Heard, know
from tests.bench.report import Step
from tests.bench.seeds import ring, seed, seed_many
from tests.bench.sizes import Sizes
from tests.databases import sqlite_url
from tests.standin import stand_in

ANSWERS_A_SECOND = 20


@dataclass
class Daily:
    """What was measured: times in milliseconds, memory in MiB, by the number of people."""

    look: dict[int, float]
    memory: dict[int, float]
    start: dict[int, float]
    planned: float
    """All that were due together, from the first look to the last Notice."""
    query_and_claim: float
    """The longest time for finding the due users and claiming their Notices together."""
    meanwhile: Heard
    """Answers to others while those questions go out."""


async def measure(folder: Path, people: Path, sizes: Sizes, step: Step) -> Daily:
    """In `people` are databases that other parts of the run use as well."""
    now = SystemClock().now()
    files = {count: await seed_many(people / str(count) / "ajar.db", count=count, now=now) for count in sizes.people}
    step()
    look = await _looks(files, now, sizes.looks)
    step()
    memory, start = {}, {}
    for count, file in files.items():
        memory[count], start[count] = await _run(file.parent, sizes.starts)
        step()
    planned, query_and_claim = await _plans(folder / "due.db", now, sizes)
    step()
    return Daily(look, memory, start, planned, query_and_claim, await _answers(folder / "busy", now, sizes))


async def _looks(files: dict[int, Path], now: datetime, times: int) -> dict[int, float]:
    """Time looks that find nothing, alternating between the databases, so that a noisy moment hits all of them."""
    took: dict[int, list[float]] = {count: [] for count in files}
    async with contextlib.AsyncExitStack() as stack:
        outboxes = {count: await stack.enter_async_context(outbox_at(file, now)) for count, file in files.items()}
        for _ in range(times):
            for count, outbox in outboxes.items():
                took[count].append(await timed(outbox._is_due))
    return {count: statistics.median(each) for count, each in took.items()}


async def _run(place: Path, times: int) -> tuple[float, float]:
    """Measure the whole bot's memory, and the time to its first getUpdates."""
    rss: list[float] = []
    began: list[float] = []
    for _ in range(times):
        async with stand_in() as telegram, ajar(telegram, place) as running:
            await asyncio.sleep(1)
            rss.append(running.rss)
            began.append(1000 * running.began_after)
    return statistics.median(rss), statistics.median(began)


async def _plans(file: Path, now: datetime, sizes: Sizes) -> tuple[float, float]:
    await seed_many(file, count=sizes.people[1], now=now, due=sizes.due)
    both: list[float] = []
    async with store_at(file) as store:
        asks = Asks(load(content_folder()))

        async def look() -> None:
            async with store.writing() as rows:
                await rows.users.due(now, 50)

        async def claim() -> None:
            async with store.writing() as rows:
                await rows.notices.claim(now, 32, 1)

        began = time.perf_counter()
        while (await asks.plan_due(store, now)).looked_at:
            both.append(await timed(look) + await timed(claim))
        planned = 1000 * (time.perf_counter() - began) - sum(both)
    return planned, max(both)


async def _answers(folder: Path, now: datetime, sizes: Sizes) -> Heard:
    """Let others write while the questions that are due go out, as soon as the bot has begun to answer."""
    others = ANSWERS_A_SECOND * sizes.meanwhile_seconds
    due_from = FIRST_PERSON + others + 1
    url = sqlite_url(folder / "ajar.db")
    await seed(url, first=FIRST_PERSON, count=others + 1, now=now, asked=True)
    await seed(url, first=due_from, count=sizes.due, now=now, due=sizes.due)
    async with stand_in() as telegram:
        crowd = Crowd(telegram)
        know(telegram, range(due_from, due_from + sizes.due))
        async with ajar(telegram, folder):
            await crowd.at_once(1, 1)
            return await crowd.steadily(ANSWERS_A_SECOND, others)


class _Nobody:
    """A courier whose messages all arrive at once."""

    async def deliver(self, _notice: Notice) -> Delivered:
        return Delivered.SAID


@contextlib.asynccontextmanager
async def store_at(file: Path) -> AsyncIterator[Store]:
    store = Store.at(sqlite_url(file), ring())
    yield store
    await store.close()


@contextlib.asynccontextmanager
async def outbox_at(file: Path, now: datetime) -> AsyncIterator[Outbox]:
    async with store_at(file) as store:
        asks = Asks(load(content_folder()))
        yield Outbox(store, HandClock(now), _Nobody(), Pacer(rate=1e9), asks, Profile(), owner=1)


async def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await work()  # type: ignore[misc]
    return 1000 * (time.perf_counter() - began)
